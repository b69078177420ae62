"""``ldvd evaluate``: judge a run, or real clips, by a named protocol."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ldvd_lib.cli.options import Subcommands, add_device, open_store, positive

if TYPE_CHECKING:
    from ldvd_lib.data import ClipStore
    from ldvd_lib.metrics.sources import Source


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    evaluate = commands.add_parser(
        "evaluate",
        help="inception score, Fréchet distance and more",
        description="Judge a run's generator by a named protocol against the training clips of a data set. Ctrl-C "
        "loses nothing: the same command continues. Real features are kept beside the store and used again.",
    )
    judged = evaluate.add_mutually_exclusive_group(required=True)
    judged.add_argument("directory", type=Path, metavar="RUN", nargs="?", help="a run directory")
    judged.add_argument("--real", action="store_true", help="judge the data set's own test clips instead of a run")
    evaluate.add_argument("--data", type=Path, required=True, help="a directory in UCF-101's layout, or a store of it")
    evaluate.add_argument(
        "--protocol",
        default="actions",
        help="tgan-2017, ldvd-2019, tganv2-2018, fvd-2048, or %(default)s, which is the default and needs no download",
    )
    evaluate.add_argument("--weights", type=Path, help="directory of the published weights that a protocol asks for")
    evaluate.add_argument("--samples", type=positive, help="videos in a repetition (default: the protocol's)")
    evaluate.add_argument("--repeats", type=positive, help="repetitions (default: the protocol's)")
    evaluate.add_argument("--step", type=int, help="of which checkpoint (default: the newest)")
    evaluate.add_argument(
        "--image-size", type=positive, help="pixels of the real clips (default: the generator's; with --real 32)"
    )
    evaluate.add_argument("--batch-size", type=positive, default=32, help="videos at once (default: %(default)s)")
    evaluate.add_argument("--short", choices=("error", "loop"), default="error", help="as for `ldvd train`")
    evaluate.add_argument(
        "--out", type=Path, help="directory for evaluation.json and features (default: in RUN, or beside the store)"
    )
    evaluate.add_argument("--seed", type=int, default=0, help="of the first repetition (default: %(default)s)")
    evaluate.add_argument("--quiet", action="store_true", help="no progress bar")
    add_device(evaluate)
    evaluate.set_defaults(run=run, continues=True)


def run(arguments: argparse.Namespace) -> None:
    from ldvd_lib.metrics import evaluate, extract, open_judge
    from ldvd_lib.metrics.sources import describe_store, digest_weights, from_generator, from_store
    from ldvd_lib.training import Run

    judge = open_judge(arguments.protocol, arguments.weights)
    run = None if arguments.real else Run.open(arguments.directory)
    generator = run.generator(arguments.step).to(arguments.device) if run else None
    image_size = arguments.image_size or (generator.image_size if generator else 32)

    def windows(store: "ClipStore") -> "Source":
        return from_store(
            store, num_frames=judge.protocol.num_frames, batch_size=arguments.batch_size, short=arguments.short
        )

    train = open_store(arguments, image_size, subset="train")
    samples = arguments.samples or judge.protocol.samples
    label = f"{judge.protocol.identity}-{samples}"
    features = train.directory.with_name(f"{train.directory.name}-features")
    options = {"device": arguments.device, "progress": not arguments.quiet}
    real = extract(
        judge,
        windows(train),
        features / label,
        videos=describe_store(train),
        seed=0,
        count=samples,
        **options,
    )
    if run is None:
        test = open_store(arguments, image_size, subset="test")
        name, source, home = describe_store(test), windows(test), features / f"{label}-test"
    else:
        step = run.newest_step if arguments.step is None else arguments.step
        name = f"{run.directory.name}, step {step} ({digest_weights(generator):.8})"
        source = from_generator(generator, batch_size=arguments.batch_size)
        home = run.directory / "evaluations" / f"{label}-step-{step}"
    out = arguments.out or home
    result = evaluate(
        judge,
        source,
        real,
        out,
        name=name,
        samples=samples,
        repeats=arguments.repeats,
        seed=arguments.seed,
        **options,
    )
    print(result)
    print(result.save(out / "evaluation.json"))
