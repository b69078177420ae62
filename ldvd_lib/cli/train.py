"""``ldvd train``: train a model of the zoo."""

import argparse
from pathlib import Path

from ldvd_lib import zoo
from ldvd_lib.cli.options import (
    DATA_SETS,
    Subcommands,
    add_device,
    add_fold,
    add_recipe,
    open_store,
    positive,
    recipe_changes,
    sampler_of,
)


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
        help=f"a store made by `ldvd data prepare`; or {DATA_SETS}, which is prepared first",
    )
    add_fold(train)
    train.add_argument("--out", type=Path, help="the run directory (default: runs/MODEL-PRESET)")
    train.add_argument("--preset", choices=zoo.PRESETS, default="lite", help="default: %(default)s")
    train.add_argument("--steps", type=positive, help="train until this step (default: the recipe's)")
    train.add_argument("--seed", type=int, default=0, help="of weights, latents and clips (default: %(default)s)")
    train.add_argument(
        "--after",
        type=Path,
        metavar="RUN",
        help="of a model that is trained in stages: the run of the stage before, whose generator it begins from; "
        "needed for the first step only",
    )
    train.add_argument("--resume", action="store_true", help="continue the run in --out")
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
    add_recipe(train)
    train.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from ldvd_lib.runs import begin_after
    from ldvd_lib.runs.checkpoint import list_checkpoints
    from ldvd_lib.training import SampleGrid, SpectrumProbe, Trainer

    changes = recipe_changes(arguments)
    config = zoo.config(arguments.model, arguments.preset, **changes)
    store = open_store(arguments, config.image_size, multiple=True)
    if config.generator.options.get("num_categories"):  # as many as the data have classes
        config = zoo.config(arguments.model, arguments.preset, num_categories=len(store.class_names), **changes)
    gan = config.build(seed=arguments.seed)
    out = arguments.out or Path("runs") / f"{arguments.model}-{arguments.preset}"
    if arguments.after and not (arguments.resume and list_checkpoints(out)):  # a checkpoint holds all stages
        begin_after(gan, arguments.after, class_names=store.class_names)
    probes = [SpectrumProbe(arguments.probe_every)] if arguments.probe_every else []
    trainer = Trainer(
        gan,
        sampler_of(store, gan, arguments),
        out,
        seed=arguments.seed,
        device=arguments.device,
        resume=arguments.resume,
        callbacks=[SampleGrid(arguments.sample_every), *probes],
        log_every=arguments.log_every,
        checkpoint_every=arguments.checkpoint_every,
        progress=not arguments.quiet,
    )
    trainer.run(arguments.steps or gan.recipe.iterations)
    if trainer.interrupted:
        raise KeyboardInterrupt
    print(f"trained to step {trainer.step}: {out}\nsee it with: ldvd sample {out} --out samples.gif")
