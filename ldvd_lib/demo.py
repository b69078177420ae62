"""The demo: from nothing to a trained model, with something to look at, in minutes on two cores."""

import textwrap
from pathlib import Path

from ldvd_lib import plots, video, zoo
from ldvd_lib.data import actions, prepare_beside
from ldvd_lib.hessian import SpectrumProbe
from ldvd_lib.training import SampleGrid, Trainer, sample_videos

MODEL = "tgan"


def run_demo(
    out: Path, *, data: Path, steps: int, seed: int = 0, device: str = "cpu", clips_per_class: int = 25
) -> list[Path]:
    """Render the built-in data, train a lite TGAN on it, and write samples, curves, Hessian spectrum and metrics.

    Args:
        out: the run directory; an interrupted demo continues there.
        data: where the built-in data is, or will be rendered.
        steps: training steps in all.
        seed: of weights, latents and clips.
        device: where to train.
        clips_per_class: of the built-in data, if it is not there yet.

    Returns:
        The files made for looking at.

    Raises:
        KeyboardInterrupt: if training was interrupted (after saving).
    """
    gan = zoo.build(MODEL, seed=seed)
    actions.render(data, clips_per_class=clips_per_class)
    store = prepare_beside(data, image_size=gan.image_size)
    sampler = gan.sampler(store, device=device, seed=seed)
    probe = SpectrumProbe(every=min(100, steps), batch_size=8)
    trainer = Trainer(
        gan,
        sampler,
        out,
        seed=seed,
        device=device,
        resume=True,
        callbacks=[SampleGrid(every=200), probe],
        checkpoint_every=200,
    )
    run = trainer.run(steps)
    if trainer.interrupted:
        raise KeyboardInterrupt

    videos = sample_videos(run.generator(), 16, seed=seed)
    files = [
        video.save_gif(videos, out / "samples.gif", columns=4, scale=4),
        video.save_png(video.contact_sheet(videos[:8], scale=3), out / "contact_sheet.png"),
        plots.save(plots.plot_training(run), out / "losses.png"),
        plots.save(plots.plot_spectrum(run), out / "spectrum.png"),
    ]
    return [*files, out / "metrics.jsonl", *run.checkpoints[-1:]]


def describe(files: list[Path]) -> str:
    """What the demo left, and how to go on, for the terminal."""
    notes = {
        "samples.gif": "sixteen generated clips, looping",
        "contact_sheet.png": "eight of them, frame by frame",
        "losses.png": "losses and scores over training",
        "spectrum.png": "the leading eigenvalues of the discriminator's Hessian over training",
        "metrics.jsonl": "the same as numbers",
    }
    lines = [f"  {path}  ({notes.get(path.name, 'checkpoint: weights and optimiser')})" for path in files]
    return textwrap.dedent(
        """
        The demo has trained a small TGAN. Look at:
        {}

        Open the course:  make lab   (or: .venv/bin/jupyter lab course)
        """
    ).format("\n".join(lines))
