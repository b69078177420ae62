"""``ldvd hessian``: the leading eigenvalues of discriminators' Hessians."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ldvd_lib import zoo
from ldvd_lib._kit.files import replacing
from ldvd_lib.cli.options import DATA_SETS, Subcommands, add_device, add_fold, open_store, positive, sampler_of

if TYPE_CHECKING:
    from ldvd_lib.hessian import CurvatureReport


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    hessian = commands.add_parser(
        "hessian",
        help="eigenvalues of a discriminator's Hessian",
        description="The leading eigenvalues of the Hessian of what the discriminators minimise, with respect to their "
        "weights: of a run's checkpoint, or of a model of the zoo as it is before training.",
    )
    hessian.add_argument("target", metavar="RUN_OR_MODEL", help="a run directory, or a name of the zoo")
    hessian.add_argument(
        "--data",
        type=Path,
        required=True,
        help=f"real videos: a store; or {DATA_SETS} (the built-in data after a demo: data/actions)",
    )
    add_fold(hessian)
    hessian.add_argument("--preset", choices=zoo.PRESETS, help="of a model of the zoo (default: lite)")
    hessian.add_argument("--step", type=int, help="of which checkpoint of a run (default: the newest)")
    hessian.add_argument("--eigenvalues", type=positive, default=10, help="how many (default: %(default)s)")
    hessian.add_argument(
        "--which",
        choices=("magnitude", "ends"),
        default="magnitude",
        help="the largest in magnitude, or half of them from either end (default: %(default)s)",
    )
    hessian.add_argument("--tolerance", type=float, default=1e-3, help="relative residual (default: %(default)s)")
    hessian.add_argument(
        "--max-products", type=positive, default=300, help="Hessian-vector products at most (default: %(default)s)"
    )
    hessian.add_argument("--batch-size", type=positive, help="real videos, and as many fakes (default: the recipe's)")
    hessian.add_argument(
        "--frame-stride", type=positive, metavar="N", help="take every N-th frame (default: the recipe's)"
    )
    hessian.add_argument("--short", choices=("error", "loop"), default="error", help="as for `ldvd train`")
    hessian.add_argument("--density", action="store_true", help="also the density of all eigenvalues")
    hessian.add_argument("--surface", action="store_true", help="also the loss around the weights")
    hessian.add_argument(
        "--out", type=Path, help="directory for spectrum.json and figures (default: only print; figures need it)"
    )
    hessian.add_argument("--seed", type=int, default=0, help="of clips, latents and a model's weights (default: 0)")
    hessian.add_argument("--quiet", action="store_true", help="no progress bar")
    add_device(hessian)
    hessian.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from ldvd_lib.hessian import measure
    from ldvd_lib.runs import Run

    if (arguments.density or arguments.surface) and not arguments.out:
        raise ValueError("--density and --surface make figures: say where to with --out DIRECTORY")
    if arguments.surface and arguments.eigenvalues < 2:
        raise ValueError("--surface needs two eigenvectors: ask for --eigenvalues 2 or more")
    if Path(arguments.target).is_dir():
        if arguments.preset:
            raise ValueError(f"{arguments.target} is a run, which says itself what it is: leave out --preset")
        run = Run.open(arguments.target)
        step = run.newest_step if arguments.step is None else arguments.step
        gan = run.gan(step)
    elif arguments.target in zoo.ENTRIES or arguments.target in zoo.ALIASES:
        if arguments.step is not None:
            raise ValueError(
                f"{arguments.target} is a model as it is before training: --step is of a run's checkpoints"
            )
        gan, step = zoo.build(arguments.target, arguments.preset or "lite", seed=arguments.seed), 0
    else:
        raise ValueError(
            f"{arguments.target} is neither a run directory nor a model of the zoo: see `ldvd train --help`"
        )
    changes = {"batch_size": arguments.batch_size, "frame_stride": arguments.frame_stride}
    gan.config = gan.config.with_recipe(**{name: value for name, value in changes.items() if value})
    store = open_store(arguments, gan.image_size, multiple=True)
    batch = sampler_of(store, gan, arguments).peek(seed=arguments.seed).to(arguments.device)
    reports = measure(
        gan.to(arguments.device),
        batch.video,
        batch.labels,
        step=step,
        k=arguments.eigenvalues,
        which=arguments.which,
        tolerance=arguments.tolerance,
        max_products=arguments.max_products,
        density=arguments.density,
        surface=arguments.surface,
        seed=arguments.seed,
        progress=not arguments.quiet,
    )
    print("\n\n".join(map(str, reports)))
    if arguments.out:
        print(*_write_curvature(reports, arguments.out), sep="\n")


def _write_curvature(reports: "list[CurvatureReport]", directory: Path) -> list[Path]:
    """Write ``spectrum.json`` and the figures that the reports have data for; returns the files."""
    from ldvd_lib import figures

    files = [directory / "spectrum.json"]
    with replacing(files[0]) as temporary:
        temporary.write_text(json.dumps([report.record() for report in reports], indent=1) + "\n")
    densities = {report.title: report.density for report in reports if report.density}
    if densities:
        files.append(figures.save(figures.plot_density(densities), directory / "density.png"))
    for number, report in enumerate(reports, start=1):
        name = "surface" if number == 1 else f"surface-{number}"
        if report.surfaces:
            files.append(figures.save(figures.plot_surface(report.surfaces), directory / f"{name}.png"))
    return files
