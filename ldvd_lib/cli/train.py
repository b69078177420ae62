"""``ldvd train``: train a model of the zoo."""

import argparse
from pathlib import Path

from ldvd_lib import zoo
from ldvd_lib.cli.options import Subcommands, add_device, open_sampler, positive


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    train = commands.add_parser(
        "train",
        help="train a model of the zoo",
        description="Train a model of the zoo into a run directory. Ctrl-C ends after the current step and saves; "
        "--resume continues as if nothing had happened.",
    )
    train.add_argument("model", help=f"a name of the zoo: {', '.join(zoo.ENTRIES)}")
    train.add_argument(
        "--data",
        type=Path,
        required=True,
        help="a store made by `ldvd data prepare`, or a directory in UCF-101's layout, which is prepared first",
    )
    train.add_argument("--out", type=Path, help="the run directory (default: runs/MODEL-PRESET)")
    train.add_argument("--preset", choices=zoo.PRESETS, default="lite", help="default: %(default)s")
    train.add_argument("--steps", type=positive, help="train until this step (default: the recipe's)")
    train.add_argument("--seed", type=int, default=0, help="of weights, latents and clips (default: %(default)s)")
    train.add_argument("--resume", action="store_true", help="continue the run in --out")
    train.add_argument("--batch-size", type=positive, help="instead of the recipe's")
    train.add_argument("--generator-rate", type=float, help="learning rate, instead of the recipe's")
    train.add_argument("--discriminator-rate", type=float, help="learning rate, instead of the recipe's")
    train.add_argument("--svc-every", type=int, help="clip singular values every so many steps; 0 for never")
    train.add_argument("--average", type=float, help="decay of the generator's moving average; 0 for none")
    train.add_argument("--precision", choices=("float32", "bfloat16"), help="of the networks' arithmetic")
    train.add_argument("--compile", action="store_true", default=None, help="use torch.compile")
    train.add_argument("--frame-stride", type=positive, help="take every so manieth frame, instead of the recipe's")
    train.add_argument(
        "--short",
        choices=("error", "loop"),
        default="error",
        help="clips shorter than a window: an error that names them, or played in a loop (default: %(default)s)",
    )
    train.add_argument("--sample-every", type=positive, default=200, help="steps between sample grids")
    train.add_argument("--checkpoint-every", type=positive, default=500, help="steps between checkpoints")
    train.add_argument("--log-every", type=positive, default=10, help="steps between lines of metrics.jsonl")
    train.add_argument(
        "--probe-every",
        type=positive,
        help="steps between two measurements of the discriminators' leading Hessian eigenvalues (default: none)",
    )
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    add_device(train)
    train.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from ldvd_lib.hessian import SpectrumProbe
    from ldvd_lib.training import SampleGrid, Trainer

    changes = {
        name: getattr(arguments, name)
        for name in (
            "batch_size",
            "generator_rate",
            "discriminator_rate",
            "svc_every",
            "average",
            "precision",
            "compile",
            "frame_stride",
        )
        if getattr(arguments, name) is not None
    }
    config = zoo.config(arguments.model, arguments.preset).with_recipe(**changes)
    gan = config.build(seed=arguments.seed)
    out = arguments.out or Path("runs") / f"{arguments.model}-{arguments.preset}"
    probes = [SpectrumProbe(arguments.probe_every)] if arguments.probe_every else []
    trainer = Trainer(
        gan,
        open_sampler(gan, arguments),
        out,
        seed=arguments.seed,
        device=arguments.device,
        resume=arguments.resume,
        callbacks=[SampleGrid(arguments.sample_every), *probes],
        log_every=arguments.log_every,
        checkpoint_every=arguments.checkpoint_every,
        progress=not arguments.quiet,
    )
    trainer.run(arguments.steps or config.recipe.iterations)
    if trainer.interrupted:
        raise KeyboardInterrupt
    print(f"trained to step {trainer.step}: {out}\nsee it with: ldvd sample {out} --out samples.gif")
