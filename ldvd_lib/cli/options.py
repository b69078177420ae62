"""Options that several commands share, and what they open."""

import argparse
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from ldvd_lib.data import ClipStore, WindowSampler
    from ldvd_lib.gan import VideoGAN

Subcommands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def device(name: str) -> str:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} cannot be used here ({str(error).splitlines()[0]})") from error
    return name


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        type=device,
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="where to compute (default: %(default)s)",
    )


def positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return value


def open_store(arguments: argparse.Namespace, image_size: int, **subset: str) -> "ClipStore":
    """The store in --data, which must be of the subset if one is given; or a data set's, prepared beside it first."""
    from ldvd_lib.data import ClipStore, prepare_beside

    if (arguments.data / "index.json").is_file():
        return ClipStore.open(arguments.data, image_size=image_size, **subset)
    return prepare_beside(arguments.data, image_size=image_size, progress=not arguments.quiet, **subset)


def open_sampler(gan: "VideoGAN", arguments: argparse.Namespace) -> "WindowSampler":
    """Real clips for a GAN from a store, or from a data set that is prepared beside itself first."""
    store = open_store(arguments, gan.image_size)
    return gan.sampler(store, short=arguments.short, device=arguments.device, seed=arguments.seed)
