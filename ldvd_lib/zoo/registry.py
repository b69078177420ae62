"""What the zoo has: names of models, and how more are added."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from ldvd_lib._kit.checks import suggestion
from ldvd_lib.discriminators import Discriminator
from ldvd_lib.gan import DISCRIMINATORS, GENERATORS, NetworkConfig
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.recipe import Recipe

Parts = tuple[NetworkConfig, dict[str, NetworkConfig], Recipe]  # generator, discriminators by name, recipe
Configure = Callable[[str], Parts]


@dataclass(frozen=True)
class Entry:
    """A name of the zoo.

    Attributes:
        name: the name.
        source: where the paper has it.
        configure: preset → generator, discriminators and recipe.
        paper_parameters: what the paper prints, for `counted`; empty where it prints none.
        counted: what that counts: ``"D"`` all discriminators, ``"G + D"`` everything.
        note: what to know, where ours and the paper's count disagree for example.
    """

    name: str
    source: str
    configure: Configure
    paper_parameters: str = ""
    counted: str = "D"
    note: str = ""


ENTRIES: dict[str, Entry] = {}
ALIASES: dict[str, str] = {}


def register(
    name: str,
    thing: Any = None,
    *,
    source: str = "",
    paper_parameters: str = "",
    counted: str = "D",
    note: str = "",
    aliases: Iterable[str] = (),
) -> Any:
    """Add a network or a model to the zoo, as a function or as a decorator.

        @zoo.register("windowed")               # a network: what `NetworkConfig` then calls "windowed"
        class Windowed(Discriminator): ...

        @zoo.register("tgan-windowed")          # a model: preset → generator, discriminators and recipe
        def tgan_windowed(preset): ...

    Args:
        name: what it shall be called.
        thing: a subclass of `VideoGenerator` or of `Discriminator`, or the function; None for use as a decorator.
        source, paper_parameters, counted, note: of a model, see `Entry`.
        aliases: other names of a model.

    Returns:
        `thing`, or a decorator that returns what it decorates.

    Raises:
        ValueError: if the name is taken by something else (a cell that is run again may replace what it defined), or
            `thing` is neither.
    """
    if thing is None:
        return functools.partial(
            register,
            name,
            source=source,
            paper_parameters=paper_parameters,
            counted=counted,
            note=note,
            aliases=aliases,
        )
    if isinstance(thing, type) and issubclass(thing, VideoGenerator):
        _check_free(name, GENERATORS.get(name), thing)
        GENERATORS[name] = thing
    elif isinstance(thing, type) and issubclass(thing, Discriminator):
        _check_free(name, DISCRIMINATORS.get(name), thing)
        DISCRIMINATORS[name] = thing
    elif callable(thing) and not isinstance(thing, type | nn.Module):
        _check_free(name, ENTRIES[name].configure if name in ENTRIES else None, thing)
        ENTRIES[name] = Entry(name, source, thing, paper_parameters, counted, note)
        ALIASES.update(dict.fromkeys(aliases, name))
    else:
        raise ValueError(
            f"{name!r} is to be registered as {thing!r}, but must be a subclass of VideoGenerator or Discriminator, "
            "or a function from a preset to (generator, discriminators, recipe)"
        )
    return thing


def find(name: str) -> Entry:
    """The entry of a name or alias.

    Raises:
        ValueError: for an unknown name, suggesting the nearest.
    """
    name = ALIASES.get(name, name)
    if name not in ENTRIES:
        raise ValueError(f"no model is called {name!r}: {suggestion(name, ENTRIES)}")
    return ENTRIES[name]


def _check_free(name: str, taken: Any, thing: Any) -> None:
    """Refuse a name that something defined elsewhere has; None is nothing."""
    if taken is not None and (taken.__module__, taken.__qualname__) != (thing.__module__, thing.__qualname__):
        raise ValueError(f"{name!r} is taken, by {taken!r}: choose another name")
