"""Models that are trained in stages, a run for each: a run begins after another one."""

from collections.abc import Sequence
from pathlib import Path

from ldvd_lib.gan import VideoGAN
from ldvd_lib.runs.run import Run


def begin_after(
    gan: VideoGAN, directory: str | Path, *, step: int | None = None, class_names: Sequence[str] = ()
) -> VideoGAN:
    """Let a GAN that is to be trained take over the generator of an earlier run, from which its samples are drawn.

    Args:
        gan: networks of which the generator comes after another one; changed in place.
        directory: of the earlier run. Once the GAN has a checkpoint of its own, it is needed no more.
        step: of which of its checkpoints; default the newest.
        class_names: of the footage on which the GAN is to be trained, in the order of its labels, if they are known.

    Returns:
        The same GAN.

    Raises:
        FileNotFoundError, ValueError: as `Run.open` and `Run.generator`; a `ValueError` also if the generator takes
            nothing over from such a one (see `VideoGenerator.begin_after`), or if the two runs are of footage of
            another duration or of other classes.
    """
    run = Run.open(directory)
    gan.generator.begin_after(run.generator(step))
    earlier = run.config.model
    duration, before = (config.num_frames * config.recipe.frame_stride for config in (gan.config, earlier))
    if duration != before:
        raise ValueError(
            f"{run.directory} was trained on {earlier.num_frames} frames with a frame stride of "
            f"{earlier.recipe.frame_stride}, and what comes after it is to be trained on {gan.num_frames} with one of "
            f"{gan.recipe.frame_stride}, which is not the same piece of footage: choose another `--frame-stride` here "
            "or there"
        )
    names = run.config.class_names
    if gan.generator.latent_parts.get("category") and class_names and names and tuple(class_names) != names:
        raise ValueError(
            f"{run.directory} was told the classes {', '.join(names)}, and what comes after it would be told "
            f"{', '.join(class_names)}: train both on the same footage"
        )
    return gan
