"""``ldvd demo``: from nothing to a trained model, with something to look at, in minutes on two cores."""

import argparse
import textwrap
from pathlib import Path

from ldvd_lib.cli.options import Subcommands, add_device, positive

MODEL = "tgan"
AFTER_HOURS = "dvd-gan-1d"  # of what we trained, that which one recognises most in


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    demo = commands.add_parser(
        "demo",
        help="from nothing to a trained model, in minutes",
        description="Render the built-in data, train a lite TGAN, and leave samples and curves to look at.",
    )
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), help="default: %(default)s")
    demo.add_argument("--data", type=Path, default=Path("data/actions"), help="built-in data (default: %(default)s)")
    demo.add_argument("--steps", type=positive, default=800, help="training steps (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    add_device(demo)
    demo.set_defaults(run=run, continues=True)


def run(arguments: argparse.Namespace) -> None:
    files = run_demo(
        arguments.out, data=arguments.data, steps=arguments.steps, seed=arguments.seed, device=arguments.device
    )
    print(describe(files))


def run_demo(
    out: Path, *, data: Path, steps: int, seed: int = 0, device: str = "cpu", clips_per_class: int = 25
) -> list[Path]:
    """Render the built-in data, train a lite TGAN on it, and write samples, curves, Hessian spectrum and metrics.

    Beside them, clips by a trained model that comes with the course: what hours give instead of minutes.

    Args:
        out: the run directory; an interrupted demo continues there.
        data: where the built-in data is, or will be rendered.
        steps: training steps in all.
        seed: of weights, latents and clips.
        device: where to train.
        clips_per_class: of the built-in data, if it is not there yet.

    Returns:
        The files to look at.

    Raises:
        KeyboardInterrupt: if training was interrupted (after saving).
    """
    from ldvd_lib import figures, video, zoo
    from ldvd_lib.data import WindowSampler, actions, prepare_beside
    from ldvd_lib.runs import pretrained
    from ldvd_lib.training import SampleGrid, SpectrumProbe, Trainer, latents_of_each_class, sample_videos

    gan = zoo.build(MODEL, seed=seed)
    actions.render(data, clips_per_class=clips_per_class)
    store = prepare_beside(data, image_size=gan.image_size)
    sampler = WindowSampler.for_gan(gan, store, device=device, seed=seed)
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
    trained = trainer.run(steps)
    if trainer.interrupted:
        raise KeyboardInterrupt

    videos = sample_videos(trained.generator(), 16, seed=seed)
    best = pretrained.load(AFTER_HOURS, data="actions")
    actions_in_turn = sample_videos(best, latents=latents_of_each_class(best, seed=seed))
    files = [
        video.save_gif(videos, out / "samples.gif", columns=4, scale=4),
        video.save_png(video.contact_sheet(videos[:8], scale=3), out / "contact_sheet.png"),
        figures.save(figures.plot_training(trained), out / "losses.png"),
        figures.save(figures.plot_spectrum(trained), out / "spectrum.png"),
        video.save_gif(actions_in_turn, out / "after_hours.gif", columns=4, scale=4, labels=best.class_names),
    ]
    return [*files, out / "metrics.jsonl", *trained.checkpoints[-1:]]


def describe(files: list[Path]) -> str:
    """The files that the demo made, and what to do next, for the terminal."""
    notes = {
        "samples.gif": "sixteen generated clips, looping",
        "contact_sheet.png": "eight of them, frame by frame",
        "losses.png": "losses and scores over training",
        "spectrum.png": "the leading eigenvalues of the discriminator's Hessian over training",
        "after_hours.gif": "for comparison: one clip of each action, by a DVD-GAN that we trained for hours",
        "metrics.jsonl": "the losses as numbers",
    }
    lines = [f"  {path}  ({notes.get(path.name, 'checkpoint: weights and optimiser')})" for path in files]
    return textwrap.dedent(
        """
        The demo has trained a small TGAN. Look at:
        {}

        Open the course:  make lab   (or: .venv/bin/jupyter lab course)
        """
    ).format("\n".join(lines))
