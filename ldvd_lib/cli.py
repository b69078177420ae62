"""The ``ldvd`` command: data, training, samples and the demo, from a shell."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ldvd_lib import zoo
from ldvd_lib._files import replacing
from ldvd_lib.gan import VideoGAN

if TYPE_CHECKING:
    from ldvd_lib.data import ClipStore, WindowSampler
    from ldvd_lib.hessian import CurvatureReport
    from ldvd_lib.metrics.sources import Source

DESCRIPTION = "Video GANs and their discriminators: prepare data, train, sample, evaluate, measure curvature."
EPILOG = """\
examples:
  ldvd demo                                             from nothing to a trained model, in minutes
  ldvd data prepare data/actions stores/actions-32 --image-size 32
  ldvd train tgan --data stores/actions-32 --preset lite --steps 1200 --out runs/tgan
  ldvd train tgan --data stores/actions-32 --preset lite --steps 2400 --out runs/tgan --resume
  ldvd sample runs/tgan --out samples.gif --seed 3
  ldvd train tgan-f --data stores/actions-32 --probe-every 50     with the Hessian's spectrum over training
  ldvd hessian runs/tgan --data stores/actions-32 --out hessian   the spectrum of what a run has come to
  ldvd evaluate runs/tgan --data data/actions                     inception score and distances to real data
  ldvd evaluate --real --data data/actions                        the same of real clips, held out: the best there is
"""


def _device(name: str) -> str:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} cannot be used here ({str(error).splitlines()[0]})") from error
    return name


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        type=_device,
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="where to compute (default: %(default)s)",
    )


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return value


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="ldvd", description=DESCRIPTION, epilog=EPILOG, formatter_class=formatter)
    parser.add_argument("--verbose", action="store_true", help="log more, and show where an error arose")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

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
    train.add_argument("--steps", type=_positive, help="train until this step (default: the recipe's)")
    train.add_argument("--seed", type=int, default=0, help="of weights, latents and clips (default: %(default)s)")
    train.add_argument("--resume", action="store_true", help="continue the run in --out")
    train.add_argument("--batch-size", type=_positive, help="instead of the recipe's")
    train.add_argument("--generator-rate", type=float, help="learning rate, instead of the recipe's")
    train.add_argument("--discriminator-rate", type=float, help="learning rate, instead of the recipe's")
    train.add_argument("--svc-every", type=int, help="clip singular values every so many steps; 0 for never")
    train.add_argument("--average", type=float, help="decay of the generator's moving average; 0 for none")
    train.add_argument("--precision", choices=("float32", "bfloat16"), help="of the networks' arithmetic")
    train.add_argument("--compile", action="store_true", default=None, help="use torch.compile")
    train.add_argument("--frame-stride", type=_positive, help="take every so manieth frame, instead of the recipe's")
    train.add_argument(
        "--short",
        choices=("error", "loop"),
        default="error",
        help="clips shorter than a window: an error that names them, or played in a loop (default: %(default)s)",
    )
    train.add_argument("--sample-every", type=_positive, default=200, help="steps between sample grids")
    train.add_argument("--checkpoint-every", type=_positive, default=500, help="steps between checkpoints")
    train.add_argument("--log-every", type=_positive, default=10, help="steps between lines of metrics.jsonl")
    train.add_argument(
        "--probe-every",
        type=_positive,
        help="steps between two measurements of the discriminators' leading Hessian eigenvalues (default: none)",
    )
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    _add_device(train)
    train.set_defaults(run=_train)

    sample = commands.add_parser(
        "sample",
        help="draw videos from a run's generator",
        description="Draw videos from the newest checkpoint of a run, as a looping GIF, an MP4 or a PNG contact sheet.",
    )
    sample.add_argument("directory", type=Path, metavar="RUN", help="a run directory")
    sample.add_argument(
        "--out", type=Path, default=Path("samples.gif"), help=".gif, .mp4 or .png (default: %(default)s)"
    )
    sample.add_argument("--videos", type=_positive, default=16, help="how many (default: %(default)s)")
    sample.add_argument("--seed", type=int, default=0, help="of the latents (default: %(default)s)")
    sample.add_argument("--step", type=int, help="of which checkpoint (default: the newest)")
    sample.add_argument("--fps", type=_positive, default=12, help="frames per second (default: %(default)s)")
    sample.add_argument("--scale", type=_positive, default=3, help="screen pixels a pixel (default: %(default)s)")
    _add_device(sample)
    sample.set_defaults(run=_sample)

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
    evaluate.add_argument("--samples", type=_positive, help="videos in a repetition (default: the protocol's)")
    evaluate.add_argument("--repeats", type=_positive, help="repetitions (default: the protocol's)")
    evaluate.add_argument("--step", type=int, help="of which checkpoint (default: the newest)")
    evaluate.add_argument(
        "--image-size", type=_positive, help="pixels of the real clips (default: the generator's; with --real 32)"
    )
    evaluate.add_argument("--batch-size", type=_positive, default=32, help="videos at once (default: %(default)s)")
    evaluate.add_argument("--short", choices=("error", "loop"), default="error", help="as for `ldvd train`")
    evaluate.add_argument(
        "--out", type=Path, help="directory for evaluation.json and features (default: in RUN, or beside the store)"
    )
    evaluate.add_argument("--seed", type=int, default=0, help="of the first repetition (default: %(default)s)")
    evaluate.add_argument("--quiet", action="store_true", help="no progress bar")
    _add_device(evaluate)
    evaluate.set_defaults(run=_evaluate)

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
        help="real videos: a store, or a directory in UCF-101's layout (the built-in data after a demo: data/actions)",
    )
    hessian.add_argument("--preset", choices=zoo.PRESETS, default="lite", help="of a model (default: %(default)s)")
    hessian.add_argument("--step", type=int, help="of which checkpoint (default: the newest)")
    hessian.add_argument("--eigenvalues", type=_positive, default=10, help="how many (default: %(default)s)")
    hessian.add_argument(
        "--which",
        choices=("magnitude", "ends"),
        default="magnitude",
        help="the largest in magnitude, or half of them from either end (default: %(default)s)",
    )
    hessian.add_argument("--tolerance", type=float, default=1e-3, help="relative residual (default: %(default)s)")
    hessian.add_argument(
        "--max-products", type=_positive, default=300, help="Hessian-vector products at most (default: %(default)s)"
    )
    hessian.add_argument("--batch-size", type=_positive, help="real videos, and as many fakes (default: the recipe's)")
    hessian.add_argument("--frame-stride", type=_positive, help="take every so manieth frame, instead of the recipe's")
    hessian.add_argument("--short", choices=("error", "loop"), default="error", help="as for `ldvd train`")
    hessian.add_argument("--density", action="store_true", help="also the density of all eigenvalues")
    hessian.add_argument("--surface", action="store_true", help="also the loss around the weights")
    hessian.add_argument(
        "--out", type=Path, help="directory for spectrum.json and figures (default: only print; figures need it)"
    )
    hessian.add_argument("--seed", type=int, default=0, help="of clips, latents and a model's weights (default: 0)")
    hessian.add_argument("--quiet", action="store_true", help="no progress bar")
    _add_device(hessian)
    hessian.set_defaults(run=_hessian)

    data = commands.add_parser("data", help="prepare and inspect data").add_subparsers(
        dest="data_command", required=True, metavar="COMMAND"
    )
    prepare = data.add_parser(
        "prepare",
        help="decode a data set once into a store",
        description="Decode the clips of a directory in UCF-101's layout once, into a store that training reads. "
        "Can be interrupted and continued.",
    )
    prepare.add_argument("root", type=Path, help="holds UCF-101/ and ucfTrainTestlist/")
    prepare.add_argument("store", type=Path, help="directory to make")
    prepare.add_argument("--image-size", type=_positive, default=64, help="pixels (default: %(default)s)")
    prepare.add_argument("--subset", choices=("train", "test", "all"), default="train", help="default: %(default)s")
    prepare.add_argument("--fold", type=int, choices=(1, 2, 3), default=1, help="official split (default: %(default)s)")
    prepare.add_argument("--stride", type=_positive, default=1, help="keep every so manieth frame (default: all)")
    prepare.add_argument("--min-frames", type=_positive, help="leave out clips with fewer frames")
    prepare.add_argument("--strict", action="store_true", help="fail if any clip is missing or unreadable")
    prepare.set_defaults(run=_prepare)
    inspect = data.add_parser(
        "inspect", help="say what a data set or a store holds", description="Say what a data set or a store holds."
    )
    inspect.add_argument("path", type=Path, help="a store, or a directory in UCF-101's layout")
    inspect.add_argument("--subset", choices=("train", "test", "all"), default="train", help="default: %(default)s")
    inspect.add_argument("--fold", type=int, choices=(1, 2, 3), default=1, help="default: %(default)s")
    inspect.set_defaults(run=_inspect)

    demo = commands.add_parser(
        "demo",
        help="from nothing to a trained model, in minutes",
        description="Render the built-in data, train a lite TGAN, and leave samples and curves to look at.",
    )
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), help="default: %(default)s")
    demo.add_argument("--data", type=Path, default=Path("data/actions"), help="built-in data (default: %(default)s)")
    demo.add_argument("--steps", type=_positive, default=800, help="training steps (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    _add_device(demo)
    demo.set_defaults(run=_demo)
    return parser


def _train(arguments: argparse.Namespace) -> None:
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
        _sampler(gan, arguments),
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


def _store(arguments: argparse.Namespace, image_size: int, **subset: str) -> "ClipStore":
    """The store in --data, which must be of the subset if one is given; or a data set's, prepared beside it first."""
    from ldvd_lib.data import ClipStore, prepare_beside

    if (arguments.data / "index.json").is_file():
        return ClipStore.open(arguments.data, image_size=image_size, **subset)
    return prepare_beside(arguments.data, image_size=image_size, progress=not arguments.quiet, **subset)


def _sampler(gan: VideoGAN, arguments: argparse.Namespace) -> "WindowSampler":
    """A sampler for a GAN from a store, or from a data set that is prepared beside itself first."""
    from ldvd_lib.data import WindowSampler

    store = _store(arguments, gan.image_size)
    return WindowSampler(
        store,
        batch_size=gan.recipe.batch_size,
        num_frames=gan.num_frames,
        stride=gan.recipe.frame_stride,
        flip=gan.recipe.flip,
        short=arguments.short,
        device=arguments.device,
        seed=arguments.seed,
    )


def _sample(arguments: argparse.Namespace) -> None:
    from ldvd_lib import video
    from ldvd_lib.training import Run, sample_videos

    suffix = arguments.out.suffix.lower()
    if suffix not in (".gif", ".mp4", ".png"):
        raise ValueError(f"--out is {arguments.out}, but must end in .gif, .mp4 or .png")
    generator = Run.open(arguments.directory).generator(arguments.step).to(arguments.device)
    videos = sample_videos(generator, arguments.videos, seed=arguments.seed)
    if suffix == ".png":
        video.save_png(video.contact_sheet(videos, scale=arguments.scale), arguments.out)
    else:
        save = video.save_gif if suffix == ".gif" else video.save_mp4
        save(videos, arguments.out, fps=arguments.fps, scale=arguments.scale)
    print(arguments.out)


def _evaluate(arguments: argparse.Namespace) -> None:
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

    train = _store(arguments, image_size, subset="train")
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
        test = _store(arguments, image_size, subset="test")
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


def _hessian(arguments: argparse.Namespace) -> None:
    from ldvd_lib.hessian import measure
    from ldvd_lib.training import Run

    if (arguments.density or arguments.surface) and not arguments.out:
        raise ValueError("--density and --surface make figures: say where to with --out DIRECTORY")
    if Path(arguments.target).is_dir():
        run = Run.open(arguments.target)
        gan, step = run.gan(arguments.step), arguments.step or run.newest_step
    elif arguments.target in zoo.ENTRIES:
        gan, step = zoo.build(arguments.target, arguments.preset, seed=arguments.seed), 0
    else:
        raise ValueError(
            f"{arguments.target} is neither a run directory nor a model of the zoo: see `ldvd train --help`"
        )
    changes = {"batch_size": arguments.batch_size, "frame_stride": arguments.frame_stride}
    gan.config = gan.config.with_recipe(**{name: value for name, value in changes.items() if value})
    videos, labels = _sampler(gan, arguments).peek(seed=arguments.seed)
    reports = measure(
        gan.to(arguments.device),
        videos.to(arguments.device),
        labels.to(arguments.device),
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
    """``spectrum.json`` and the figures that the reports have data for; returns the files."""
    from ldvd_lib import plots

    files = [directory / "spectrum.json"]
    with replacing(files[0]) as temporary:
        temporary.write_text(json.dumps([report.record() for report in reports], indent=1) + "\n")
    densities = {report.title: report.density for report in reports if report.density}
    if densities:
        files.append(plots.save(plots.plot_density(densities), directory / "density.png"))
    for name, report in zip(("surface", *(f"surface-{n}" for n in range(2, 10))), reports, strict=False):
        if report.surfaces:
            files.append(plots.save(plots.plot_surface(report.surfaces), directory / f"{name}.png"))
    return files


def _prepare(arguments: argparse.Namespace) -> None:
    from ldvd_lib.data import prepare, ucf101

    index = ucf101.index(
        arguments.root,
        subset=arguments.subset,
        fold=arguments.fold,
        min_frames=arguments.min_frames,
        strict=arguments.strict,
    )
    print(index.summary())
    store = prepare(index, arguments.store, image_size=arguments.image_size, stride=arguments.stride)
    print(f"{len(store)} clips, {len(store.frames)} frames of {store.image_size} px: {arguments.store}")


def _inspect(arguments: argparse.Namespace) -> None:
    from ldvd_lib.data import ClipStore, ucf101

    if (arguments.path / "index.json").is_file():
        print(ClipStore.open(arguments.path).summary())
    else:
        print(ucf101.index(arguments.path, subset=arguments.subset, fold=arguments.fold).summary())


def _demo(arguments: argparse.Namespace) -> None:
    from ldvd_lib.demo import describe, run_demo

    files = run_demo(
        arguments.out, data=arguments.data, steps=arguments.steps, seed=arguments.seed, device=arguments.device
    )
    print(describe(files))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; errors of use come as one line, without a traceback.

    Returns:
        The exit status: 0, 1 after an error, 2 after wrong arguments (from argparse), 130 after an interrupt.
    """
    parsed = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if parsed.verbose else logging.WARNING, format="%(message)s")
    try:
        parsed.run(parsed)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        if parsed.verbose:
            raise
        print(f"ldvd {parsed.command}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
