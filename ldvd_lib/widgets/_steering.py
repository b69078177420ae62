"""Generators as the sample browser steers them: what their latents are made of, how they are arranged and called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ldvd_lib.latents import share_part, truncate, walk_between, with_category

SAMPLES, WALK, EVERY_CLASS = "samples", "walk", "every class"  # grids; the others are "same PART"
AS_DRAWN = "as drawn"  # each sample keeps its class
_CATEGORY = "category"  # the part of latents that is a class, one-hot
_SAME = "same "


class GeneratorLike(Protocol):
    """What the browser needs of a generator; every generator of the library has it, and ``latent_parts`` too."""

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Latent vectors ``(n, latent_dim)``, drawn from ``generator``."""

    def __call__(self, latents: Tensor) -> Tensor:
        """Videos ``(n, C, T, H, W)`` with values in [-1, 1]."""


@dataclass(frozen=True)
class Steered:
    """A generator, the parts of its latents, and what its classes are called: none if it is told no class."""

    generator: GeneratorLike
    parts: Mapping[str, slice]
    classes: tuple[str, ...] = ()

    @classmethod
    def of(cls, generator: GeneratorLike, class_names: Sequence[str] | None = None) -> "Steered":
        """A generator with its classes called as asked for, or as it calls them itself, or by number.

        Raises:
            ValueError: the names are not as many as the classes.
        """
        parts = getattr(generator, "latent_parts", {})
        if _CATEGORY not in parts:
            return cls(generator, parts)
        count = len(range(*parts[_CATEGORY].indices(_width(generator))))
        if class_names is not None and len(class_names) != count:
            raise ValueError(
                f"class_names are {len(class_names)}, and the generator has {count} classes: give a name for each, in "
                "the order of the labels."
            )
        own = getattr(generator, "class_names", ())
        if class_names is None:
            class_names = own if len(own) == count else [f"class {number}" for number in range(count)]
        return cls(generator, parts, tuple(class_names))

    def draw(self, n: int, seed: int) -> Tensor:
        """The latents ``(n, latent_dim)`` of a seed, of the generator's type and on its device."""
        # Drawn on the CPU, so that a seed means the same everywhere.
        return self.generator.sample_latents(n, generator=torch.Generator().manual_seed(seed))

    def arranged(self, drawn: Tensor, choices: Mapping[str, Any]) -> Tensor:
        """The latents of the grid, made from the drawn ones."""
        grid, first, latents = choices["grid"], choices["first"], self._told(drawn, choices)
        if grid == WALK:
            latents = walk_between(latents, first, choices["second"], len(latents), parts=self.parts)
        elif grid == EVERY_CLASS:
            count = len(self.classes)
            latents = with_category(latents[first].expand(count, -1), self.parts[_CATEGORY], torch.arange(count))
        elif grid != SAMPLES:
            latents = share_part(latents, self.parts[grid.removeprefix(_SAME)], first)
        return truncate(latents, choices["truncation"], parts=self.parts)

    def picked(self, drawn: Tensor, choices: Mapping[str, Any]) -> int:
        """Which video of the grid is the drawn one that all others are like, or that the walk begins with."""
        if choices["grid"] == EVERY_CLASS:
            return self._classes_of(self._told(drawn, choices))[choices["first"]]
        return 0 if choices["grid"] == WALK else choices["first"]

    def names(self, latents: Tensor, choices: Mapping[str, Any]) -> list[str]:
        """A name for each video of the grid."""
        grid, first, last = choices["grid"], choices["first"], len(latents) - 1
        if grid == EVERY_CLASS:
            return list(self.classes)
        videos = [f"video {index}" for index in range(len(latents))]
        told = (
            [f", {self.classes[number]}" for number in self._classes_of(latents)]
            if self.classes
            else [""] * len(videos)
        )
        if grid == WALK:  # halfway between two classes is none
            middle = [f"{100 * step / last:.0f} % of the way" for step in range(1, last)]
            return [videos[first] + told[0], *middle, videos[choices["second"]] + told[last]]
        if grid != SAMPLES:
            varied = self.besides(grid.removeprefix(_SAME))
            videos = [name if index == first else f"{varied} of {name}" for index, name in enumerate(videos)]
        return [name + kind for name, kind in zip(videos, told, strict=True)]

    def besides(self, part: str) -> str:
        """The other parts, in words."""
        return " and ".join(_word(other) for other in self.parts if other != part)

    def _told(self, drawn: Tensor, choices: Mapping[str, Any]) -> Tensor:
        """The drawn latents with the class that was chosen, if one was and the generator is told classes."""
        if not self.classes or choices["category"] == AS_DRAWN:
            return drawn
        return with_category(drawn, self.parts[_CATEGORY], self.classes.index(choices["category"]))

    def _classes_of(self, latents: Tensor) -> list[int]:
        return latents[:, self.parts[_CATEGORY]].argmax(1).tolist()


def common_classes(models: Sequence[Steered]) -> tuple[str, ...]:
    """The classes of all generators that are told one; none if they differ."""
    lists = {model.classes for model in models if model.classes}
    return lists.pop() if len(lists) == 1 else ()


def menu(models: Sequence[Steered], num_videos: int) -> dict[str, str]:
    """What the grid can show of all generators, each with its text in the menu."""
    every_class = all(model.classes for model in models) and common_classes(models)
    grids = {SAMPLES: "samples"}
    if num_videos > 1:
        grids[WALK] = "walk between two"
        for part in models[0].parts:
            others = {model.besides(part) if part in model.parts else "" for model in models}
            if "" in others or (every_class and others == {_word(_CATEGORY)}):  # the next grid shows that better
                continue
            grids[_SAME + part] = f"same {_word(part)}, other {_either(models, part)}"
    if every_class:
        kept = _either(models, _CATEGORY)
        grids[EVERY_CLASS] = f"same {kept}, every class" if kept else "every class"
    return grids


def latents_in_words(models: Mapping[str, Steered], drawn: Mapping[str, Tensor]) -> list[str]:
    """For each generator, of what its latents consist, or with which other one they are shared.

    They are where the parts are the same ones and a seed gives the same numbers; elsewhere each has latents of its own.
    """
    words = []
    for number, (label, model) in enumerate(models.items()):
        like = [
            other
            for other in list(models)[:number]
            if models[other].parts == model.parts and _equal(drawn[other], drawn[label])
        ]
        sizes = [f"{_word(name)} {drawn[label][:, part].shape[1]}" for name, part in model.parts.items()]
        own = ", ".join(sizes) if len(sizes) > 1 else f"{drawn[label][0].numel()} numbers"
        whose = "latents of its own" if number else "latents"
        words.append(f"the same latents as {like[0]}" if like else f"{whose}: {own}")
    return words


def in_words(choices: Mapping[str, Any]) -> str:
    """What was chosen."""
    words, grid, first = f"seed {choices['seed']}", choices["grid"], f"video {choices['first']}"
    if choices["truncation"] != 1:
        words += f", truncation {choices['truncation']:.2f}"
    if grid == EVERY_CLASS:
        return f"{words}, {first} in every class"
    if choices["category"] != AS_DRAWN:
        words += f", class {choices['category']}"
    if grid == WALK:
        return f"{words}, walk from {first} to video {choices['second']}"
    return words if grid == SAMPLES else f"{words}, same {_word(grid.removeprefix(_SAME))} as {first}"


def _word(part: str) -> str:
    """A part as learners know it."""
    return "class" if part == _CATEGORY else part


def _either(models: Sequence[Steered], part: str) -> str:
    """The parts besides one, of generators whose latents may have different ones."""
    return " / ".join(dict.fromkeys(model.besides(part) for model in models))


def _width(generator: GeneratorLike) -> int:
    return generator.sample_latents(1, generator=torch.Generator().manual_seed(0)).shape[1]


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one.cpu().float(), other.cpu().float())
