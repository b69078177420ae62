"""What happens beside the steps of a run: anything with ``every`` and a call that takes the trainer."""

from typing import TYPE_CHECKING, Protocol

from ldvd_lib import video
from ldvd_lib._kit.files import remove_leftovers
from ldvd_lib.runs.files import SAMPLES, step_name
from ldvd_lib.training.sampling import sample_videos

if TYPE_CHECKING:
    from ldvd_lib.training.loop import Trainer


class Callback(Protocol):
    """Called with the trainer after every `every`-th step; must leave weights and random streams as they are."""

    every: int

    def __call__(self, trainer: "Trainer") -> None:
        """Look at the trainer and write what is worth keeping into its run directory."""


class SampleGrid:
    """Videos of the same latents, as ``samples/step_0000100.gif``.

    Args:
        every: steps between two grids.
        num_videos: videos in a grid.
        seed: of their latents.
        scale: pixels on screen a pixel.
    """

    def __init__(self, every: int = 200, *, num_videos: int = 16, seed: int = 0, scale: int = 2) -> None:
        self.every, self.num_videos, self.seed, self.scale = every, num_videos, seed, scale

    def __call__(self, trainer: "Trainer") -> None:
        """Write the grid."""
        path = trainer.directory / SAMPLES / f"{step_name(trainer.step)}.gif"
        remove_leftovers(path)  # a run that was killed while it wrote this grid comes here again
        videos = sample_videos(trainer.sampling_generator(), self.num_videos, seed=self.seed)
        video.save_gif(videos, path, scale=self.scale)
