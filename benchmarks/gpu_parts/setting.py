"""What all parts share: the device, precisions, networks, clips, one step of a game, and a clock."""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ldvd_lib import zoo
from ldvd_lib.batch import Batch
from ldvd_lib.gan import VideoGAN
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import GAMES
from ldvd_lib.training import Source, play
from ldvd_lib.training.players import Players

FAMILIES = ("tgan-f", "tgan", "tgan-tsm", "mocogan-f", "mocogan", "mocogan-tsm", "tgan-f-128")  # what matters first
# Name → whether products of float32 may be rounded to TensorFloat-32, and the recipe's precision. PyTorch's own default
# is neither of the first two: convolutions may, matrix products may not.
PRECISIONS = {"float32": (False, "float32"), "tf32": (True, "float32"), "bfloat16": (False, "bfloat16")}


@dataclass(frozen=True)
class Setting:
    """Where and how large everything is.

    Attributes:
        device: the device that one wants to know about.
        lite: miniature networks and batches, for a rehearsal on a CPU.
        out: directory of the report.
        weizmann: folder of real clips, or None.
        precision: to train in, or None for the fastest that is trusted.
    """

    device: torch.device
    lite: bool
    out: Path
    weizmann: Path | None
    precision: str | None = None

    @property
    def cuda(self) -> bool:
        """Whether the device is a GPU of NVIDIA's."""
        return self.device.type == "cuda"

    @property
    def preset(self) -> str:
        """Of the zoo."""
        return "lite" if self.lite else "paper"

    @property
    def batch_size(self) -> int:
        """Of what is timed and trained."""
        return 4 if self.lite else 32

    @property
    def repeats(self) -> int:
        """How often something is timed at most."""
        return 2 if self.lite else 20


@contextlib.contextmanager
def products(precision: str) -> Iterator[None]:
    """How products of float32 are computed on a GPU within the block: exactly, or with TensorFloat-32."""
    allowed, _ = PRECISIONS[precision]
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def build(name: str, preset: str, *, batch_size: int, **recipe: object) -> VideoGAN:
    """A model of the zoo with the learning rates, clipping, average and first weights of its `lite` recipe.

    Those were found for networks of `lite` size, and are where one starts with the published ones: the published rates
    and weights of ±0.01 show nothing within a few hundred steps.
    """
    lite = zoo.config(name, "lite")
    options = {
        key: getattr(lite.recipe, key) for key in ("generator_rate", "discriminator_rate", "svc_every", "average")
    }
    if lite.generator.kind == "tgan":
        options |= {"init": "xavier", "temporal_init": "xavier"}
    return zoo.build(name, preset, **(options | {"batch_size": batch_size} | recipe))


def noise(gan: VideoGAN, size: int) -> Batch:
    """Clips of noise in a GAN's size, the same on every device: what they show does not matter here."""
    shape = (size, 3, gan.num_frames, gan.image_size, gan.image_size)
    random = torch.Generator().manual_seed(1)
    return Batch(torch.rand(shape, generator=random) * 2 - 1, torch.zeros(size, dtype=torch.int64))


class Steps:
    """The steps of a game on one batch that lies on the device already.

    Args:
        gan: networks and recipe; moved to the device.
        device: where.
        precision: a key of `PRECISIONS`; the recipe's own must agree with it.
        random: what latents and views are drawn from; default a generator on the device.

    Attributes:
        gan, players: who plays.
        random: as given.
    """

    def __init__(
        self, gan: VideoGAN, device: torch.device, precision: str, random: torch.Generator | None = None
    ) -> None:
        self.gan, self.precision = gan.to(device).train(), precision
        self.players = Players(gan)
        self.objective = Objective(gan.discriminators, gan.recipe)
        self.random = torch.Generator(device).manual_seed(0) if random is None else random
        self.clips = noise(gan, gan.recipe.batch_size).to(device)
        self.source = Source(lambda: self.clips, self.clips.size, self.random)

    def __call__(self) -> dict[str, Tensor]:
        """One step: every player learns and moves. Singular values are not clipped, and no average follows."""
        with products(self.precision):
            return play(GAMES[self.gan.recipe.game], self.objective, self.players, self.source)


def wait(device: torch.device) -> None:
    """Until the device has done all that it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def milliseconds(work: Callable[[], object], device: torch.device, *, repeats: int, seconds: float = 3.0) -> float:
    """The median time of some repeats, after two that do not count; fewer where they would take longer than allowed."""
    end = time.perf_counter() + seconds
    for _ in range(2):
        work()
    wait(device)
    taken: list[float] = []
    while len(taken) < repeats and (not taken or time.perf_counter() < end):
        start = time.perf_counter()
        if device.type == "cuda":
            before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            before.record()
            work()
            after.record()
            torch.cuda.synchronize(device)
            taken.append(before.elapsed_time(after))
        else:
            work()
            taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken)
