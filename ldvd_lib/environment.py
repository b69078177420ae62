"""Where the course runs: the machine, the libraries, the data at hand and the time budget."""

import html
import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

_LIBRARIES = ("torchvision", "numpy", "av", "moviepy", "ipywidgets", "anywidget")
_GIBIBYTE = 2**30


def workspace() -> Path:
    """The directory that holds ``data/`` and ``runs/``: the checkout where there is one, else where you are.

    Returns:
        ``$LDVD_WORKSPACE`` if that is set; otherwise a path relative to the current directory, so that what a notebook
        prints about its files reads the same on every machine.
    """
    chosen = os.environ.get("LDVD_WORKSPACE")
    if chosen:
        return Path(chosen)
    for directory in (Path(), Path("..")):
        if (directory / "course").is_dir() and (directory / "constraints.txt").is_file():
            return directory
    return Path()


def budget() -> str:
    """The time budget, ``$LDVD_BUDGET``: "full" (the default), or "quick", which only proves that everything runs.

    Raises:
        ValueError: It is set to anything else.
    """
    chosen = os.environ.get("LDVD_BUDGET", "full")
    if chosen not in ("full", "quick"):
        raise ValueError(f'LDVD_BUDGET is {chosen!r}; set it to "full" or "quick", or leave it out for "full"')
    return chosen


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
        data = "; ".join(f"{found.name} ({found.description})" for found in self.data_sets)
        pace = {"full": "full (as a learner meets it)", "quick": "quick (training cut short: to test, not to learn)"}
        return [
            ("Python", f"{self.python} on {self.system}"),
            ("PyTorch", self.torch),
            ("Device", self.device_in_words),
            ("CPU cores", str(self.cores)),
            ("Free disk", f"{self.free_disk_gib:.0f} GiB"),
            ("Libraries", libraries),
            ("Data", data or "none yet"),
            ("Time budget", pace[self.budget]),
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
        cores=_cores(),
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
        return "mps", "Apple GPU"
    return "cpu", "no GPU found; the default settings are made for this"


def _cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    found = []
    for path in [directory, *sorted(directory.iterdir())] if directory.is_dir() else []:
        if (path / "UCF-101").is_dir():
            classes = [entry for entry in (path / "UCF-101").iterdir() if entry.is_dir()]
            clips = sum(1 for entry in classes for _ in entry.glob("*.avi"))
            found.append(DataSet(path.name, f"{clips:,} clips of {len(classes)} classes"))
        elif (path / "index.json").is_file():
            found.append(DataSet(path.name, "a store of decoded clips"))
    return tuple(found)
