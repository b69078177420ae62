"""Where the course runs: the machine, the libraries, the data at hand and the time budget."""

import html
import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from ldvd_lib._kit.machine import cores
from ldvd_lib.data import weizmann

_LIBRARIES = ("torchvision", "numpy", "av", "moviepy", "ipywidgets", "anywidget")
_GIBIBYTE = 2**30


def workspace() -> Path:
    """The directory that holds ``data/`` and ``runs/``: the checkout if there is one, else the current directory.

    Returns:
        ``$LDVD_WORKSPACE`` if that is set; otherwise a path relative to the current directory, so that what a notebook
        prints about its files reads the same on every machine.
    """
    configured = os.environ.get("LDVD_WORKSPACE")
    if configured:
        return Path(configured)
    for directory in (Path(), Path("..")):
        if (directory / "course").is_dir() and (directory / "constraints.txt").is_file():
            return directory
    return Path()


BUDGETS = {
    "full": "full (as a learner meets it)",
    "short": "short (a quarter of the training: to test the notebooks as they are)",
    "quick": "quick (training cut short: to test, not to learn)",
}


def budget() -> str:
    """The time budget, ``$LDVD_BUDGET``: "full" (the default), "short", or "quick", which proves that everything runs.

    Raises:
        ValueError: It is set to anything else.
    """
    configured = os.environ.get("LDVD_BUDGET", "full")
    if configured not in BUDGETS:
        raise ValueError(
            f'LDVD_BUDGET is {configured!r}; set it to one of {", ".join(BUDGETS)}, or leave it out for "full"'
        )
    return configured


def steps(full: int, quick: int | None = None) -> int:
    """How many training steps to take: `full`, or what the budget leaves of them.

    Args:
        full: Steps that teach something. Under the short budget a quarter of them is taken, or `quick` if that is more.
        quick: Steps under the quick budget; a thirtieth of `full`, at least 2, by default.
    """
    quick = max(2, full // 30) if quick is None else quick
    return _within_budget(full, max(quick, full // 4), quick)


def repeats(full: int, quick: int = 1) -> int:
    """How often to repeat a measurement: `full` times, or `quick` times under the quick budget."""
    return _within_budget(full, full, quick)


def _within_budget(full: int, short: int, quick: int) -> int:
    if full < 1 or quick < 1:
        raise ValueError(f"a budget needs counts of at least 1; got full={full}, quick={quick}")
    return min(full, {"full": full, "short": short, "quick": quick}[budget()])


@dataclass(frozen=True)
class DataSet:
    """A data set found in ``data/``: its name there, and what it is."""

    name: str
    description: str


@dataclass(frozen=True)
class EnvironmentReport:
    """What `environment_report` found. Shows itself as a table in a notebook, as text elsewhere."""

    python: str
    system: str
    torch: str
    device: str
    device_name: str
    cores: int
    free_disk_gib: float
    libraries: dict[str, str]
    data_sets: tuple[DataSet, ...]
    budget: str

    @property
    def device_in_words(self) -> str:
        """The device that the library trains on by default, and what it is."""
        return f"{self.device}: {self.device_name}"

    def rows(self) -> list[tuple[str, str]]:
        """The report as pairs of heading and text."""
        libraries = ", ".join(f"{name} {version}" for name, version in self.libraries.items())
        data = "; ".join(f"{data_set.name} ({data_set.description})" for data_set in self.data_sets)
        return [
            ("Python", f"{self.python} on {self.system}"),
            ("PyTorch", self.torch),
            ("Device", self.device_in_words),
            ("CPU cores", str(self.cores)),
            ("Free disk", f"{self.free_disk_gib:.0f} GiB"),
            ("Libraries", libraries),
            ("Data", data or "none yet"),
            ("Time budget", BUDGETS[self.budget]),
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{heading:<13}{text}" for heading, text in self.rows())

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{heading}</th>'
            f'<td style="text-align:left">{html.escape(text)}</td></tr>'
            for heading, text in self.rows()
        )
        return f"<table><caption>This machine, as the course sees it</caption>{rows}</table>"


def environment_report() -> EnvironmentReport:
    """Look at the machine, the libraries, ``data/`` and the time budget."""
    device, device_name = _device()
    return EnvironmentReport(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        torch=torch.__version__,
        device=device,
        device_name=device_name,
        cores=cores(),
        free_disk_gib=shutil.disk_usage(_existing(workspace())).free / _GIBIBYTE,
        libraries={name: version(name) for name in _LIBRARIES},
        data_sets=_data_sets(workspace() / "data"),
        budget=budget(),
    )


def _device() -> tuple[str, str]:
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return "cuda", f"{properties.name}, {properties.total_memory / _GIBIBYTE:.0f} GiB"
    if torch.backends.mps.is_available():
        return "cpu", 'the Apple GPU is used where it is asked for by name, "mps"'
    return "cpu", "no GPU found; the default settings are made for this"


def version(name: str) -> str:
    """The installed version of a distribution, or "missing"."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _existing(path: Path) -> Path:
    path = path.absolute()
    return path if path.exists() else _existing(path.parent)


def _data_sets(directory: Path) -> tuple[DataSet, ...]:
    data_sets = []
    try:
        paths = [directory, *sorted(directory.iterdir())] if directory.is_dir() else []
    except OSError as error:
        return (DataSet(directory.name, f"cannot be read: {error.strerror or error}"),)
    for path in paths:
        try:
            description = _description(path)
        except OSError as error:  # no permission, or a disk that is not there any more
            description = f"cannot be read: {error.strerror or error}"
        if description:
            data_sets.append(DataSet(path.name, description))
    return tuple(data_sets)


def _description(path: Path) -> str:
    """What a directory holds; "" if that is neither a data set nor a store."""
    if (path / "UCF-101").is_dir():
        classes = [folder for folder in (path / "UCF-101").iterdir() if folder.is_dir()]
        clips = sum(1 for folder in classes for _ in folder.glob("*.avi"))
        return f"{clips:,} clips of {len(classes)} classes"
    if weizmann.is_at(path):
        return "the Weizmann actions"
    return "a store of decoded clips" if (path / "index.json").is_file() else ""
