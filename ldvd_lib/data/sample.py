"""Random windows of the clips in a store, as batches that a network takes.

A window is `num_frames` frames of one clip, `stride` apart. Clips are drawn uniformly, so that a long clip counts no
more than a short one; then one of the places where the window fits is drawn, uniformly too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ldvd_lib._kit.checks import one_of
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import shrink
from ldvd_lib.data.store import ClipStore
from ldvd_lib.gan import VideoGAN
from ldvd_lib.video import to_float

# With `resident=None` the store moves to the GPU if it takes at most this share of the free memory there.
_RESIDENT_SHARE = 0.5
_PIECE = 4096  # frames copied to it at a time


@dataclass(frozen=True, eq=False)
class Windows:
    """Which frames a batch is made of.

    Attributes:
        clips: (N,) int64, the clip of each window.
        frames: (N, T) int64, positions in that clip, in the order in which they are shown.
        flipped: (N,) bool, whether the window is mirrored, left to right.
    """

    clips: np.ndarray
    frames: np.ndarray
    flipped: np.ndarray


class WindowSampler:
    """An endless source of random batches from a store; the same seed gives the same batches on every device.

    Args:
        store: the clips.
        batch_size: windows in a batch, N. Drawn with replacement.
        num_frames: frames in a window, T.
        image_size: of its pixels along a side, each the mean of a box of the store's; by default as many as there.
        stride: distance from one frame to the next; with a tuple, each window draws one of its values.
        flip: mirror each window, left to right, with probability one half.
        reverse: play each window backwards with probability one half.
        short: what happens to clips shorter than a window: "error" raises, "loop" starts anywhere in them and continues
            at their beginning.
        device: where batches are to be.
        resident: keep all frames in that device's memory; otherwise they are read from the store's file, which the
            operating system caches. None: on a GPU if they fit into half of its free memory, not on a CPU.
        seed: of the generator that all choices are drawn from.

    Raises:
        ValueError: for an option out of range, or naming the clips that are too short.
    """

    def __init__(
        self,
        store: ClipStore,
        *,
        batch_size: int,
        num_frames: int = 16,
        image_size: int | None = None,
        stride: int | tuple[int, ...] = 1,
        flip: bool = False,
        reverse: bool = False,
        short: str = "error",
        device: str | torch.device = "cpu",
        resident: bool | None = None,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self.store = store
        self.batch_size = batch_size
        self.num_frames = num_frames
        self.image_size = store.image_size if image_size is None else image_size
        if self.image_size < 1 or store.image_size % self.image_size:
            raise ValueError(
                f"image_size is {image_size}, and the store has clips of {store.image_size} px: windows can be as "
                "large, or a whole number of times smaller"
            )
        self.device = torch.device(device)
        self.resident = _fits(store, self.device) if resident is None else resident
        self._rule = _WindowRule(num_frames, stride, flip, reverse, short)
        self._rule.check(store)
        self._generator = torch.Generator().manual_seed(seed)
        self._labels = torch.from_numpy(store.labels).to(self.device)
        self._frames: np.ndarray | Tensor = np.asarray(store.frames)
        if self.resident:
            # On a CPU numpy gathers frames faster than torch; elsewhere they must be a tensor.
            on_cpu = self.device.type == "cpu"
            self._frames = np.array(store.frames) if on_cpu else _move(store.frames, self.device)

    @classmethod
    def for_gan(
        cls,
        gan: VideoGAN,
        store: ClipStore,
        *,
        short: str = "error",
        device: str | torch.device = "cpu",
        seed: int = 0,
    ) -> "WindowSampler":
        """Real clips as a GAN is trained on them: its length and size, its recipe's batch size, frame stride and flips.

        Args:
            gan: the GAN to be trained.
            store: clips of its image size, or of a multiple of it.
            short, device, seed: as of the class.

        Raises:
            ValueError: as the class; and as `check_fit`.
        """
        recipe, divides = gan.recipe, store.image_size % gan.image_size == 0
        sampler = cls(
            store,
            batch_size=recipe.batch_size,
            num_frames=gan.num_frames,
            image_size=gan.image_size if divides else None,  # which does not fit, as is said below
            stride=recipe.frame_stride,
            flip=recipe.flip,
            short=short,
            device=device,
            seed=seed,
        )
        check_fit(gan, sampler)
        return sampler

    def describe(self) -> dict[str, Any]:
        """What the batches are made of, as plain values: the store's parameters and size, and the window's options.

        ``image_size`` is that of the windows; where the store's is another, that is ``shrunk_from``.
        """
        shrunk = self.image_size != self.store.image_size
        return {
            **self.store.parameters,
            **({"image_size": self.image_size, "shrunk_from": self.store.image_size} if shrunk else {}),
            "clips": len(self.store),
            "frames": len(self.store.frames),
            "batch_size": self.batch_size,
            "window": {**asdict(self._rule), "stride": self._rule.strides.tolist()},
        }

    def draw(self) -> Windows:
        """Choose the windows of the next batch. `next_batch` is `gather(draw())`."""
        return self._draw(self.batch_size, self._generator)

    def _draw(self, batch_size: int, generator: torch.Generator) -> Windows:
        # Every option has its own row, used or not, so switching one on leaves the other choices as they were.
        size = (1 + _WindowRule.CHOICES, batch_size)
        uniform = torch.rand(size, dtype=torch.float64, generator=generator).numpy()
        clips = _choose(uniform[0], len(self.store))
        frames, flipped = self._rule.apply(self.store.lengths[clips], uniform[1:])
        return Windows(clips, frames, flipped)

    def gather(self, windows: Windows) -> Tensor:
        """Fetch the frames of windows.

        Returns:
            (N, C, T, H, W) float32 in [-1, 1] on the sampler's device, channels last in memory.
        """
        factor = self.store.image_size // self.image_size
        return shrink(self._whole_frames(windows), (1, factor, factor))

    def _whole_frames(self, windows: Windows) -> Tensor:
        positions = self.store.offsets[windows.clips, None] + windows.frames
        if isinstance(self._frames, Tensor):
            chosen = torch.from_numpy(positions.ravel()).to(self.device)
            videos = self._frames.index_select(0, chosen).unflatten(0, positions.shape)
        elif self.device.type == "cpu":
            return _read(self._frames, positions, windows.flipped)
        else:
            videos = torch.from_numpy(self._frames[positions])
            if self.device.type == "cuda":
                videos = videos.pin_memory()
            videos = videos.to(self.device, non_blocking=True)
        return _convert(videos, windows.flipped)

    def next_batch(self) -> Batch:
        """Draw a batch: ``videos``, (N, C, T, H, W) float32 in [-1, 1], and ``labels``, (N,) int64."""
        return self._batch(self.draw())

    def peek(self, batch_size: int | None = None, *, seed: int = 0) -> Batch:
        """A batch from a seed of its own: the same at every call, and without effect on the sequence of batches.

        Args:
            batch_size: number of windows; default the sampler's.
            seed: of the choices.

        Returns:
            As `next_batch`.
        """
        # The sampler does not change: a run may be drawing from it in another thread.
        return self._batch(self._draw(batch_size or self.batch_size, torch.Generator().manual_seed(seed)))

    def _batch(self, windows: Windows) -> Batch:
        return Batch(self.gather(windows), self._labels[torch.from_numpy(windows.clips).to(self.device)])

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self.next_batch()

    def state_dict(self) -> dict[str, Tensor]:
        """The state of the generator; a sampler that loads it draws the batches that this one would draw next."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue where the sampler was when `state` was taken from it."""
        if set(state) != {"generator"}:
            raise ValueError(f"the state of a sampler has the key 'generator', not {sorted(state)}")
        self._generator.set_state(state["generator"].cpu())


def check_fit(gan: VideoGAN, sampler: WindowSampler) -> None:
    """Check that a sampler's batches are what a GAN is trained on.

    Raises:
        ValueError: if size, length or number of clips differ, or if the GAN has categories and these are not the
            store's classes.
    """
    store, model = sampler.store, f"{gan.config.name} ({gan.config.preset})"
    wanted = {"image_size": gan.image_size, "num_frames": gan.num_frames, "batch_size": gan.recipe.batch_size}
    offered = {"image_size": sampler.image_size, "num_frames": sampler.num_frames, "batch_size": sampler.batch_size}
    if wanted != offered:
        raise ValueError(
            f"the sampler gives clips of {offered}, but {model} was built for {wanted}: "
            "prepare the data at that size, or build the sampler with those values"
        )
    categories, classes = gan.num_categories, len(store.class_names)
    if categories and categories != classes:
        last = int(store.labels.max())
        reason = (
            f"clips of {store.class_names[last]!r}, class number {last}, have no category"
            if last >= categories
            else f"categories and classes must be the same, and the classes are {_shortened(store.class_names)}"
        )
        raise ValueError(
            f"{model} has {categories} categories, and the clips are of a list of {classes} classes: {reason}; "
            f"build it with num_categories={classes}"
        )


def _shortened(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


class WindowDataset(Dataset):
    """One random window of each clip, for use with a `torch.utils.data.DataLoader`.

    Item i is a window of clip i: (video, label), the video (C, T, H, W) float32 in [-1, 1]. Its choices are drawn from
    a generator seeded with (seed, epoch, i) and nothing else, so they do not depend on the order in which items are
    asked for nor on the number of workers. Call `set_epoch` before each pass for new windows; a DataLoader with
    `persistent_workers` would not pass that on to its workers.

    Args: as for `WindowSampler`.
    """

    def __init__(
        self,
        store: ClipStore,
        num_frames: int = 16,
        stride: int | tuple[int, ...] = 1,
        *,
        flip: bool = False,
        reverse: bool = False,
        short: str = "error",
        seed: int = 0,
    ) -> None:
        if seed < 0:
            raise ValueError(f"seed must be at least 0, not {seed}")
        self.store = store
        self.seed = seed
        self.epoch = 0
        self._rule = _WindowRule(num_frames, stride, flip, reverse, short)
        self._rule.check(store)

    def set_epoch(self, epoch: int) -> None:
        """Choose the windows of another pass, counted from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        clip = np.asarray(self.store[i])
        i %= len(self)  # -1 is the last clip, and has its windows
        uniform = np.random.default_rng((self.seed, self.epoch, i)).random((_WindowRule.CHOICES, 1))
        frames, flipped = self._rule.apply(np.array([len(clip)]), uniform)
        return _read(clip, frames, flipped)[0], int(self.store.labels[i])


@dataclass(frozen=True)
class _WindowRule:
    """How four random numbers become a window: its stride, its beginning, mirrored or not, backwards or not."""

    num_frames: int
    stride: int | tuple[int, ...]
    flip: bool
    reverse: bool
    short: str

    CHOICES = 4

    def __post_init__(self) -> None:
        if self.num_frames < 1:
            raise ValueError(f"num_frames must be at least 1, not {self.num_frames}")
        if not self.strides.size or self.strides.min() < 1:
            raise ValueError(f"stride must be at least 1, or a tuple of such numbers, not {self.stride!r}")
        one_of("short", self.short, ("error", "loop"))

    @property
    def strides(self) -> np.ndarray:
        return np.atleast_1d(np.asarray(self.stride, dtype=np.int64))

    def check(self, store: ClipStore) -> None:
        """Raise if a window does not fit into some clips and they are not to be looped."""
        needed = (self.num_frames - 1) * int(self.strides.max()) + 1
        too_short = np.flatnonzero(store.lengths < needed)
        if self.short == "error" and too_short.size:
            names = "\n".join(f"{store.names[i]}: {store.lengths[i]} frames" for i in too_short)
            raise ValueError(
                f"{self.num_frames} frames at stride {self.strides.max()} need clips of {needed} frames; "
                f"{too_short.size} of {len(store)} clips are shorter. Use short='loop', fewer frames or a smaller "
                f"stride, or leave them out with ucf101.index(..., min_frames={needed}). They are:\n{names}"
            )

    def apply(self, lengths: np.ndarray, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn random numbers into windows.

        Args:
            lengths: (N,) lengths of the clips.
            uniform: (4, N) in [0, 1).

        Returns:
            frames (N, T) int64, positions in the clip; flipped (N,) bool.
        """
        which_stride, which_start, mirrored, backwards = uniform
        strides = self.strides[_choose(which_stride, len(self.strides))]
        spans = (self.num_frames - 1) * strides + 1
        # A clip shorter than the window is looped, so the window can begin at each of its frames.
        starts = _choose(which_start, np.where(lengths >= spans, lengths - spans + 1, lengths))
        frames = (starts[:, None] + strides[:, None] * np.arange(self.num_frames)) % lengths[:, None]
        if self.reverse:
            frames = np.where(backwards[:, None] < 0.5, frames[:, ::-1], frames)
        return frames, (mirrored < 0.5) & self.flip


def _choose(uniform: np.ndarray, number: int | np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) to whole numbers in 0 ... number - 1, all equally likely."""
    return (uniform * number).astype(np.int64)


def _read(frames: np.ndarray, positions: np.ndarray, flipped: np.ndarray) -> Tensor:
    """(total, H, W, C) uint8 frames at (N, T) positions -> (N, C, T, H, W) float32 in [-1, 1], some windows mirrored.

    Gives what `_convert` gives, but in one thread and window by window, while each is in the processor's cache. With so
    little work torch's threads gain nothing, and on a busy machine waiting for them takes ten times as long.
    """
    videos = np.empty((*positions.shape, *frames.shape[1:]), dtype=np.float32)
    for video, positions_of_window, mirror in zip(videos, positions, flipped, strict=True):
        window = frames[positions_of_window]
        video[:] = window[:, :, ::-1] if mirror else window
        video /= 127.5
        video -= 1
    return _channels_first(torch.from_numpy(videos))


def _convert(videos: Tensor, flipped: np.ndarray) -> Tensor:
    """(N, T, H, W, C) uint8 -> (N, C, T, H, W) float32 in [-1, 1], some windows mirrored, on the videos' device."""
    mirrored = torch.from_numpy(np.flatnonzero(flipped)).to(videos.device)
    videos[mirrored] = videos[mirrored].flip(3)
    return _channels_first(to_float(videos))


def _channels_first(videos: Tensor) -> Tensor:
    """(N, T, H, W, C) -> (N, C, T, H, W); nothing moves, so in memory the channels stay last."""
    return videos.permute(0, 4, 1, 2, 3)


def _move(frames: np.ndarray, device: torch.device) -> Tensor:
    """Copy frames to a device piece by piece: the store may be larger than the computer's own memory."""
    moved = torch.empty(frames.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(frames), _PIECE):
        moved[start : start + _PIECE] = torch.from_numpy(np.array(frames[start : start + _PIECE]))
    return moved


def _fits(store: ClipStore, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return store.frames.nbytes <= _RESIDENT_SHARE * free
