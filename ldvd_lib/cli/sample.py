"""``ldvd sample``: draw videos from a run's generator."""

import argparse
from pathlib import Path

from ldvd_lib.cli.options import Subcommands, add_device, positive


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    sample = commands.add_parser(
        "sample",
        help="draw videos from a run's generator",
        description="Draw videos from the newest checkpoint of a run, as a looping GIF, an MP4 or a PNG contact sheet.",
    )
    sample.add_argument("directory", type=Path, metavar="RUN", help="a run directory")
    sample.add_argument(
        "--out", type=Path, default=Path("samples.gif"), help=".gif, .mp4 or .png (default: %(default)s)"
    )
    sample.add_argument("--videos", type=positive, default=16, help="how many (default: %(default)s)")
    sample.add_argument("--seed", type=int, default=0, help="of the latents (default: %(default)s)")
    sample.add_argument("--step", type=int, help="of which checkpoint (default: the newest)")
    sample.add_argument("--fps", type=positive, default=12, help="frames per second (default: %(default)s)")
    sample.add_argument("--scale", type=positive, default=3, help="screen pixels a pixel (default: %(default)s)")
    add_device(sample)
    sample.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from ldvd_lib import video
    from ldvd_lib.runs import Run
    from ldvd_lib.training import sample_videos

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
