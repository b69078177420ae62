"""``ldvd evaluate``: judge a run, or real clips, by a named protocol."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from ldvd_lib.cli.options import (
    DATA_SETS,
    Subcommands,
    add_device,
    add_fold,
    class_names_of,
    open_store,
    positive,
)

if TYPE_CHECKING:
    from ldvd_lib.metrics import Judge

logger = logging.getLogger(__name__)

FALLBACK = "actions"  # the protocol for data that have no judge of their own


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    evaluate = commands.add_parser(
        "evaluate",
        help="inception score, Fréchet distance and more",
        description="Judge a run's generator by a named protocol against the training clips of a data set. Ctrl-C "
        "loses nothing: the same command continues. Real features are kept beside the store and used again.",
    )
    subject = evaluate.add_mutually_exclusive_group(required=True)
    subject.add_argument("directory", type=Path, metavar="RUN", nargs="?", help="a run directory")
    subject.add_argument("--real", action="store_true", help="judge the data set's own test clips instead of a run")
    evaluate.add_argument("--data", type=Path, required=True, help=f"{DATA_SETS}; or a store of it")
    add_fold(evaluate)
    evaluate.add_argument(
        "--protocol",
        help="without a download: actions, the built-in data's own; actions-order, which learnt in which order their "
        "frames are shown instead of their classes; and weizmann, that of those clips (of which it "
        "takes every second frame: train with --frame-stride 2, which is MoCoGAN's own); with one: tgan-2017, "
        "ldvd-2019, tganv2-2018, fvd-2048, fvd-2048-stride-2 (every second frame, as weizmann), fvd-2048-pooled, "
        "fvd-2048-bfloat16; torchvision-NAME, where NAME is any of "
        f"torchvision's video networks (torchvision-r3d_18, say) (default: the data's own, or else {FALLBACK})",
    )
    evaluate.add_argument(
        "--weights",
        type=Path,
        help="directory of the published weights that a protocol asks for; with torchvision-NAME also a file, and "
        "without it the weights are fetched; with fvd-2048 default: where `ldvd judges get i3d` puts them",
    )
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
    evaluate.add_argument(
        "--features", type=Path, help="directory for the features of the real clips (default: beside the store)"
    )
    evaluate.add_argument("--seed", type=int, default=0, help="of the first repetition (default: %(default)s)")
    evaluate.add_argument(
        "--classes",
        action="store_true",
        help="of a generator that is told classes, as DVD-GAN's: also, how often the judge names what was asked for",
    )
    evaluate.add_argument("--quiet", action="store_true", help="no progress bar")
    add_device(evaluate)
    evaluate.set_defaults(run=run, continues=True)


def run(arguments: argparse.Namespace) -> None:
    from ldvd_lib.runs import Run, scores
    from ldvd_lib.runs.sources import check_length

    judge = _open_judge(arguments)
    if arguments.classes and arguments.real:
        raise ValueError("--classes asks a generator for clips of each class: leave it out with --real")
    judged_run, image_size = None, arguments.image_size or 32
    if not arguments.real:
        judged_run = Run.open(arguments.directory)
        generator = judged_run.generator(arguments.step)
        check_length(generator, judge.protocol.num_frames)  # before the real features, which take a while
        image_size = arguments.image_size or generator.image_size
        trained, judged = judged_run.config.model.recipe.frame_stride, judge.protocol.frame_stride
        if trained != judged:
            logger.warning(
                "%s was trained with frame stride %d, and the protocol takes real clips with %d: a part of the "
                "distance is one of speed",
                judged_run.directory,
                trained,
                judged,
            )
    train_clips = open_store(arguments, image_size, subset="train")
    if judged_run and judged_run.config.data.get("fold", 1) != (fold := train_clips.parameters.get("fold", 1)):
        logger.warning(
            "%s was trained on another split than fold %s, whose training clips are asked for (--fold)",
            judged_run.directory,
            fold,
        )
    options = {
        "samples": arguments.samples,
        "batch_size": arguments.batch_size,
        "device": arguments.device,
        "progress": not arguments.quiet,
    }
    real = scores.real_features(judge, train_clips, short=arguments.short, directory=arguments.features, **options)
    options |= {"repeats": arguments.repeats, "seed": arguments.seed}
    if judged_run:
        result = scores.judge_run(judged_run, judge, real, step=arguments.step, directory=arguments.out, **options)
    else:
        test_clips = open_store(arguments, image_size, subset="test")
        features = scores.features_directory(train_clips, judge, arguments.samples)
        out = arguments.out or features.with_name(f"{features.name}-test")
        result = scores.judge_clips(test_clips, judge, real, directory=out, short=arguments.short, **options)
    print(*result, sep="\n")
    if judged_run and arguments.classes:
        generator = judged_run.generator(arguments.step).to(arguments.device)
        print(scores.judge_classes(generator, judge, train_clips.class_names, batch_size=arguments.batch_size))


def _open_judge(arguments: argparse.Namespace) -> "Judge":
    """The judge of --protocol, or the data's own; a warning says so where its classes are not the data's."""
    from ldvd_lib.metrics import open_judge
    from ldvd_lib.metrics.classifier import CLASSIFIERS, own_classifier

    own = own_classifier(class_names_of(arguments.data))
    judge = open_judge(arguments.protocol or own or FALLBACK, arguments.weights, progress=not arguments.quiet)
    network = judge.protocol.network
    # Of the published networks, C3D was trained on UCF-101; what others tell apart is in no score.
    if judge.protocol.inception_score and network != own and (own or network in CLASSIFIERS):
        logger.warning(
            "protocol %s judges with a network that tells other classes apart than those of %s: the inception score is "
            "about its own, and distances are of features learned on other clips%s",
            judge.protocol.name,
            arguments.data,
            f". Their own protocol is {own}" if own else "",
        )
    return judge
