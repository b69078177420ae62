"""Everything we want to know of a GPU, in one call of at most so many minutes.

Usage: python benchmarks/gpu.py [--minutes 10] [--out artifacts/gpu] [--weizmann FOLDER] [--parts 1,2,3,4] [--lite]

    1  the tests that are marked `cuda`
    2  correctness: losses, gradients, singular value clipping, curvature and the judge, held against the CPU, in
       float32, with TensorFloat-32 and in bfloat16, each with a tolerance and a verdict
    3  figures: clipping, Hessian products, eigenvalues, steps of every family of the zoo (eager, with cudnn.benchmark,
       in a CUDA graph, compiled) with memory and the share of what the card's matrix products reach; the sampler; how
       often a step waits for the device; whether the largest model fits into 12 GB
    4  trainings at 64 px with the published networks for the minutes that are left, in the fastest precision that part
       2 trusts: histories, curvature, sheets of samples and the averaged generators in half precision

It needs a checkout, PyTorch and little more: no PyAV, no Jupyter, no installation of the package, no internet. All of
it goes to at most eight files of less than 16 MiB in one folder: `report.jsonl`, an entry a line, written at once, so
that whoever ends it early loses the item under way and no more; `report.md`, the same to read; `sheet-*.png`;
`weights-*.safetensors`. A part is a process of its own, and an item that fails is reported with its error: neither
keeps the rest from going on.

`--lite` makes networks, batches and repeats so small that the same code passes on two CPU cores in two minutes. So far
that is the only way in which it was ever run: nothing in this repository has been measured on a GPU yet.
"""

import argparse
import os
import platform
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a bare machine has this checkout, and no installation

from gpu_parts.report import Report

# Part, module, function, and the share of the time by which it must have ended. Two processes for part 3: what fails
# in the second, a capture or a compiler, can take a process with it.
STAGES = (
    ("1", "cuda_tests", "run", 0.12),
    ("2", "correctness", "run", 0.28),
    ("3", "figures", "run", 0.46),
    ("3", "figures", "run_changed", 0.66),
    ("4", "trainings", "run", 1.0),
)
GRACE = 5  # seconds between the end of a part and that of its process


def machine(device: str) -> dict[str, Any]:
    """What the report is about."""
    import torch

    about = {"python": platform.python_version(), "torch": torch.__version__, "cores": os.cpu_count()}
    if device == "cpu":
        return about | {"device": "CPU", "threads": torch.get_num_threads()}
    card = torch.cuda.get_device_properties(0)
    about |= {"device": card.name, "memory, GB": round(card.total_memory / 1e9, 1)}
    about |= {"multiprocessors": card.multi_processor_count, "compute capability": f"{card.major}.{card.minor}"}
    return about | {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}


def stage(arguments: argparse.Namespace) -> None:
    """One part, in this process."""
    import torch
    from gpu_parts.setting import Setting

    _end_with_parent()
    part, module, function, _ = STAGES[arguments.stage]
    if arguments.first:  # here, and not in the process that started this one, which leaves the device alone
        Report(arguments.out, "0", arguments.ends).item("machine", lambda: machine(arguments.device))
    report = Report(arguments.out, part, arguments.ends)
    device = torch.device(arguments.device)
    setting = Setting(device, arguments.lite, arguments.out, arguments.weizmann, arguments.precision)
    try:
        getattr(import_module(f"gpu_parts.{module}"), function)(setting, report)
    except Exception as error:  # what no item has caught: a module that cannot be imported, for example
        report.add(f"{module}.{function}", "failed", error=f"{type(error).__name__}: {error}")
        raise


def _end_with_parent() -> None:
    """Parts do not go on when the call that started them was ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), help="default: cuda if there is one")
    parser.add_argument("--minutes", type=float, default=10.0, help="the most it may take (default: 10)")
    parser.add_argument(
        "--out", type=Path, default=Path("artifacts/gpu"), metavar="DIRECTORY", help="default: artifacts/gpu"
    )
    parser.add_argument("--weizmann", type=Path, metavar="FOLDER", help="real clips to train on, too")
    parser.add_argument("--parts", default="1,2,3,4", help="which, with commas between (default: 1,2,3,4)")
    parser.add_argument("--precision", choices=("float32", "tf32", "bfloat16"), help="of part 4 (default: as above)")
    parser.add_argument("--lite", action="store_true", help="miniature networks: a rehearsal on a CPU")
    parser.add_argument("--stage", type=int, help=argparse.SUPPRESS)  # for the processes that this one starts
    parser.add_argument("--ends", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage is not None:
        stage(arguments)
        return

    started = time.time()
    parts = arguments.parts.split(",")
    if unknown := set(parts) - {part for part, *_ in STAGES}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}: give some of 1,2,3,4")
    if arguments.device != "cpu":
        import torch

        if arguments.device == "cuda" and not torch.cuda.is_available():
            parser.error("PyTorch sees no CUDA device: leave out --device, or give --device cpu --lite")
        arguments.device = "cuda" if torch.cuda.is_available() else "cpu"
    arguments.out = arguments.out.resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for path in arguments.out.iterdir():  # of an earlier call: what is left of it would be taken for this one's
        if path.name.startswith(("report.", "sheet-", "weights-")):
            path.unlink()
    seconds = arguments.minutes * 60
    report = Report(arguments.out, "0", started + seconds)
    report.add("call", "done", arguments=" ".join(sys.argv[1:]), lite=arguments.lite, minutes=arguments.minutes)

    stages = [(number, *stage) for number, stage in enumerate(STAGES) if stage[0] in parts]
    last = stages[-1][-1]
    for number, part, _, function, share in stages:
        # Shares of the time are those of all parts; with fewer of them, each has more.
        ends = started + (seconds - GRACE - 1) * share / last
        command = [sys.executable, __file__, "--stage", str(number), "--ends", str(ends), "--out", str(arguments.out)]
        command += ["--device", arguments.device, *["--lite"] * arguments.lite, *["--first"] * (number == stages[0][0])]
        command += ["--weizmann", str(arguments.weizmann.resolve())] if arguments.weizmann else []
        command += ["--precision", arguments.precision] if arguments.precision else []
        report = Report(arguments.out, part, ends)
        trouble = _run(command, max(ends - time.time(), 0) + GRACE)
        if trouble:
            report.add(f"the process of {function} in part {part}", "failed", error=trouble)
    files = {path.name: f"{path.stat().st_size / 2**20:.2f} MiB" for path in sorted(arguments.out.iterdir())}
    Report(arguments.out, "0", 0).add("end", "done", seconds=round(time.time() - started, 1), files=str(files))


def _run(command: list[str], seconds: float) -> str:
    """Run a process to its end, or until its time is over; returns what went wrong."""
    process = subprocess.Popen(command)
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return f"killed: it was still at work {seconds:.0f} s after it had begun"
    return f"it ended with status {status}" if status else ""


if __name__ == "__main__":
    main()
