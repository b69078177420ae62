"""Options that several commands share, and the stores and samplers that they name."""

import argparse
import typing
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from ldvd_lib.recipe import Recipe

if TYPE_CHECKING:
    from ldvd_lib.data import ClipStore, WindowSampler
    from ldvd_lib.gan import VideoGAN

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DATA_SETS = "a directory in UCF-101's layout, or with the Weizmann actions"
FOLDS = (
    "split: 1, 2 or 3 of UCF-101; of the Weizmann actions 1, which holds out two people, or 2 to 10, which hold out "
    "one person each"
)


def device(name: str) -> str:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} cannot be used here ({str(error).splitlines()[0]})") from error
    return name


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        type=device,
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="where to compute (default: %(default)s)",
    )


def positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return value


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add an option for every value of a recipe; values without an option stay as in the model's own recipe."""
    group = parser.add_argument_group("recipe", "instead of what the model's own recipe says")
    types = typing.get_type_hints(Recipe)
    for field in fields(Recipe):
        options: dict[str, Any] = {"help": field.metadata["about"].replace("%", "%%"), "default": None}
        kind = types[field.name]
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif typing.get_origin(kind) is tuple:
            item_types = typing.get_args(kind)
            options |= {"type": item_types[0], "nargs": len(item_types)}
        else:
            options["type"] = kind
        if field.metadata["choices"]:
            options["choices"] = tuple(field.metadata["choices"])
        group.add_argument(f"--{field.name.replace('_', '-')}", **options)


def recipe_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """The values of those options of `add_recipe` that were set."""
    values = {field.name: getattr(arguments, field.name) for field in fields(Recipe)}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if value is not None
    }


def add_fold(parser: argparse.ArgumentParser) -> None:
    """Add --fold for `open_store`."""
    parser.add_argument(
        "--fold",
        type=positive,
        help=f"{FOLDS} (default: 1; a store has been made of one, and must be of this if you say which)",
    )


def open_store(
    arguments: argparse.Namespace, image_size: int, *, subset: str | None = None, multiple: bool = False
) -> "ClipStore":
    """The store in --data, which must be of the subset if one is given; of a data set, the store is prepared first.

    With `multiple`, a store may also have a whole number of times as many pixels, of which a sampler makes fewer.
    """
    from ldvd_lib.data import ClipStore, prepare_beside

    asked: dict[str, Any] = {"subset": subset, "fold": arguments.fold}
    asked = {name: value for name, value in asked.items() if value is not None}
    if (arguments.data / "index.json").is_file():
        store = ClipStore.open(arguments.data, **asked)
        if multiple and store.image_size % image_size == 0:
            return store
        return ClipStore.open(arguments.data, image_size=image_size, **asked)
    return prepare_beside(arguments.data, image_size=image_size, progress=not arguments.quiet, **asked)


def class_names_of(data: Path) -> list[str]:
    """The classes of what --data names, a store or a data set, before anything is prepared."""
    from ldvd_lib.data import ClipStore, index_clips

    if (data / "index.json").is_file():
        return list(ClipStore.open(data).class_names)
    return index_clips(data, check=False).class_names


def sampler_of(store: "ClipStore", gan: "VideoGAN", arguments: argparse.Namespace) -> "WindowSampler":
    """Real clips for a GAN from a store, as the arguments say."""
    from ldvd_lib.data import WindowSampler

    return WindowSampler.for_gan(gan, store, short=arguments.short, device=arguments.device, seed=arguments.seed)
