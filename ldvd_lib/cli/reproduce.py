"""``ldvd reproduce``: the paper's tables, its claims about curvature and the question behind, trained and judged."""

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ldvd_lib import zoo
from ldvd_lib.cli.options import Subcommands, add_device, open_store, positive

if TYPE_CHECKING:
    from ldvd_lib.data import ClipStore
    from ldvd_lib.reproduce import Order


def seeds(text: str) -> tuple[int, ...]:
    """``"3"`` → (0, 1, 2); ``"0,4"`` → (0, 4)."""
    try:
        numbers = tuple(int(part) for part in text.split(",") if part) if "," in text else tuple(range(int(text)))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of seeds nor a list such as 0,1,5")
    return numbers


def hours(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours")
    return value


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    reproduce = commands.add_parser(
        "reproduce",
        help="train and judge the rows of the paper's tables, and write a report",
        description="Train the models in the rows of tables, judge them, and write a report that has the paper's "
        "values beside them; or train what the paper's claims about curvature compare, and report whether they hold; "
        "or put its question to the data: does a critic whose loss is less curved teach a better generator? "
        "All rows with the first seed come first, then all with the next. Ctrl-C and the end of the budget lose "
        "nothing: the same command goes on, and does nothing twice.",
    )
    reproduce.add_argument(
        "targets",
        metavar="TABLE",
        nargs="*",
        help="2, 3 (3a), 5 (5a and 5b), 6 (6a and 6b), 8, 9, tganv2 (what subsampling is worth), curvature (Figures 3, "
        "4, 5 and 7), or question",
    )
    reproduce.add_argument(
        "--rows",
        nargs="+",
        default=(),
        metavar="MODEL",
        help="only these, by their names in the zoo (or the question's)",
    )
    reproduce.add_argument(
        "--data", type=Path, help="a directory in UCF-101's layout, or a store of its training clips"
    )
    reproduce.add_argument("--out", type=Path, default=Path("runs/reproduce"), help="directory (default: %(default)s)")
    reproduce.add_argument("--preset", choices=zoo.PRESETS, default="lite", help="default: %(default)s")
    reproduce.add_argument(
        "--seeds", type=seeds, default=(0,), help="how many, or which: 0,1,5 (default: 1; error bars need 2 or more)"
    )
    reproduce.add_argument(
        "--steps", type=positive, help="of each training (default: the recipe's; curvature: 150, question: 500)"
    )
    reproduce.add_argument(
        "--budget", type=hours, metavar="HOURS", help="begin nothing after so long, and stop a training, ready to go on"
    )
    reproduce.add_argument("--protocol", default="actions", help="as for `ldvd evaluate` (default: %(default)s)")
    reproduce.add_argument("--weights", type=Path, help="directory of the published weights that a protocol asks for")
    reproduce.add_argument("--samples", type=positive, help="videos in a repetition (default: the protocol's)")
    reproduce.add_argument("--repeats", type=positive, help="repetitions (default: the protocol's)")
    reproduce.add_argument(
        "--frame-stride", type=positive, metavar="N", help="take every N-th frame, instead of the recipe's"
    )
    reproduce.add_argument("--short", choices=("error", "loop"), default="error", help="as for `ldvd train`")
    reproduce.add_argument("--batch-size", type=positive, help="of training, instead of the recipe's")
    reproduce.add_argument("--probe-every", type=positive, help="steps between two probes of the Hessian's spectrum")
    reproduce.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of the networks' arithmetic (default: %(default)s; bfloat16 is faster where the processor has units for "
        "it, and changed no finding of ours: course/results.md)",
    )
    reproduce.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="use torch.compile (default: on a GPU, unless the spectrum is probed)",
    )
    reproduce.add_argument(
        "--estimate",
        action="store_true",
        help="train nothing: time some steps of every model, and say what all will cost",
    )
    reproduce.add_argument(
        "--report-only", action="store_true", help="train nothing: write the report of what is there"
    )
    reproduce.add_argument("--quiet", action="store_true", help="no progress bar")
    add_device(reproduce)
    reproduce.set_defaults(run=run, continues=True, fold=None)


def run(arguments: argparse.Namespace) -> None:
    # Everything is imported now: a command that runs for days must not load files that have changed since.
    from ldvd_lib import reproduce
    from ldvd_lib.metrics import open_judge

    if arguments.report_only:
        print(reproduce.write_report(arguments.out))
        return
    budget = reproduce.Budget(arguments.budget)  # counts from now on, since preparing the clips may take long
    order = _order(arguments)
    plan = reproduce.make_plan(order)
    is_judged = any(training.protocol for training in plan.trainings)
    judge = open_judge(order.protocol, arguments.weights) if is_judged else None
    if arguments.device.startswith("cuda"):
        torch.set_float32_matmul_precision("high")  # TF32
    options = {"device": arguments.device, "progress": not arguments.quiet}
    if arguments.estimate:
        print(reproduce.describe(reproduce.estimate(plan.trainings, judge, **options)))
        return
    if arguments.data is None:
        raise ValueError("--data is missing: a directory in UCF-101's layout, or a store of its training clips")

    @functools.cache
    def store(image_size: int) -> "ClipStore":
        return open_store(arguments, image_size, subset="train")

    workshop = reproduce.Workshop(arguments.out, judge, **options)
    workshop.check(plan, store)  # before the directory remembers the order
    reproduce.remember(order, arguments.out)
    try:
        counts = workshop.run(plan, store, budget)
    finally:
        # After an interrupt, too.
        report = reproduce.write_report(arguments.out)
    print(counts)
    if not counts.is_finished:
        reason = "the budget is spent" if budget.is_spent else "other processes are at the rest"
        print(f"{reason}; run the same command again to go on from here")
    print(report)


def _order(arguments: argparse.Namespace) -> "Order":
    from ldvd_lib.reproduce import Order

    compiled = arguments.compile
    if compiled is None:
        # A probe needs second derivatives, which compiled networks do not have.
        compiled = arguments.device.startswith("cuda") and not arguments.probe_every
    changes = {
        "frame_stride": arguments.frame_stride,
        "batch_size": arguments.batch_size,
        "precision": None if arguments.precision == "float32" else arguments.precision,
        "compile": compiled or None,
    }
    return Order(
        targets=tuple(arguments.targets),
        rows=tuple(arguments.rows),
        preset=arguments.preset,
        seeds=arguments.seeds,
        steps=arguments.steps,
        changes={name: value for name, value in changes.items() if value is not None},
        short=arguments.short,
        protocol=arguments.protocol,
        samples=arguments.samples,
        repeats=arguments.repeats,
        probe_every=arguments.probe_every,
    )
