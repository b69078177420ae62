"""Fixtures that several test modules share."""

import contextlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ldvd_lib.data import ClipStore, WindowSampler
    from ldvd_lib.gan import VideoGANConfig

REPOSITORY = Path(__file__).resolve().parents[1]

# What a test costs, by its marker: the cheap ones run first, so that what is wrong shows early.
_COSTS = {"slow": 1, "notebook": 2, "browser": 3}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cells that nbval runs as notebook tests, and order all tests by cost."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("notebook")
        if item.get_closest_marker("cuda") and not _has_cuda():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device, and PyTorch sees none here"))
    items.sort(key=lambda item: max((_COSTS.get(mark.name, 0) for mark in item.iter_markers()), default=0))


@cache
def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where ``--durations`` asks what takes long, say so by part, too: seconds added up over all processes."""
    if not terminalreporter.config.option.durations:
        return
    seconds, tests = Counter(), Counter()
    for report in chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            seconds[_part(report)] += report.duration
            tests[_part(report)] += report.when == "call"
    terminalreporter.section("seconds by part")
    for part, taken in seconds.most_common():
        terminalreporter.write_line(f"{taken:7.1f}s {part} ({tests[part]} tests)")
    terminalreporter.write_line(f"{seconds.total():7.1f}s in all ({tests.total()} tests)")


def _part(report: pytest.TestReport) -> str:
    """Which part of the tests a report belongs to."""
    file = report.nodeid.partition("::")[0]
    if file.endswith(".ipynb"):
        return "notebooks as committed"
    if re.search(r"/(test_)?site[./]", file):
        return "site"
    names = {"browser": "browser", "notebook": "notebooks solved", "slow": "slow"}
    return next((part for marker, part in names.items() if marker in report.keywords), "unit")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


def _brought(variable: str, name: str, inside: str, *, what: str, remedy: str) -> Path:
    """What tests use and the repository does not have: where a variable says, or ``shared/data`` beside the checkout.

    Tests that ask for it are skipped where it is not, and told what to set the variable to.
    """
    root = Path(os.environ.get(variable, REPOSITORY.parent / "shared" / "data" / name))
    if not (root / inside).exists():
        pytest.skip(f"{what} {root}; set {variable} to {remedy}")
    return root


@pytest.fixture(scope="session")
def ucf101_mini() -> Path:
    """Real UCF-101 footage: ``$LDVD_UCF101_MINI``, or ``shared/data/ucf101-mini`` beside the checkout."""
    remedy = "a directory that contains UCF-101/"
    return _brought("LDVD_UCF101_MINI", "ucf101-mini", "UCF-101", what="real footage is not at", remedy=remedy)


@pytest.fixture(scope="session")
def weizmann_root() -> Path:
    """The Weizmann actions as MoCoGAN has them: ``$LDVD_WEIZMANN``, or ``shared/data/weizmann-mocogan``."""
    what, remedy = "the Weizmann actions are not at", "a directory that contains actions/"
    return _brought("LDVD_WEIZMANN", "weizmann-mocogan", "actions", what=what, remedy=remedy)


@pytest.fixture(scope="session")
def ucf101_originals() -> Path:
    """A few whole files of UCF-101: ``$LDVD_UCF101_ORIGINALS``, or ``shared/data/ucf101-originals``."""
    what, remedy = "whole clips are not at", "a directory that contains UCF-101/"
    return _brought("LDVD_UCF101_ORIGINALS", "ucf101-originals", "UCF-101", what=what, remedy=remedy)


@pytest.fixture(scope="session")
def i3d_directory() -> Path:
    """The real weights of I3D, as `ldvd judges get i3d` leaves them: ``$LDVD_I3D``, or ``shared/data/i3d``."""
    what, remedy = "the weights of I3D are not in", "what `ldvd judges get i3d --out` was given"
    return _brought("LDVD_I3D", "i3d", "i3d-kinetics-400.safetensors", what=what, remedy=remedy)


@pytest.fixture(scope="session")
def tiny_actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in data set with two short clips a class, in UCF-101's layout."""
    from ldvd_lib.data import actions

    directory = tmp_path_factory.mktemp("data") / "actions"
    return actions.render(directory, clips_per_class=2, frames_per_clip=18, progress=False)


@pytest.fixture(scope="session")
def tiny_weizmann(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up strips in the layout of the Weizmann actions: nine people, four actions, 32 frames of 8 px."""
    import numpy as np
    from PIL import Image

    from ldvd_lib.data import weizmann

    root = tmp_path_factory.mktemp("data") / "weizmann"
    for label, folder in enumerate(weizmann.FOLDERS):
        (root / "actions" / folder).mkdir(parents=True)
        for person in range(9):
            frames = np.full((32, 8, 8, 3), (40, 25 * person, 60 * label), np.uint8)
            for time, frame in enumerate(frames):
                frame[2 * label : 2 * label + 2, time % 8] = 250
            for mirror, clip in enumerate((frames, frames[:, :, ::-1])):
                strip = Image.fromarray(np.concatenate(clip, axis=1))
                strip.save(root / "actions" / folder / f"{8 * person + 2 * label + mirror:08d}.jpg")
    return root


@pytest.fixture(scope="session")
def build_site() -> Callable[..., subprocess.CompletedProcess]:
    """Builds the website as `make site` does: ``build_site(destination, source=course)``."""

    def build(destination: Path, source: Path = REPOSITORY / "course") -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet"]
        command += ["--conf-dir", REPOSITORY / "course" / "site", "--doctree-dir", destination / ".doctrees"]
        return subprocess.run([*command, source, destination], capture_output=True, text=True)

    return build


@pytest.fixture(scope="session")
def website(build_site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built website of the course."""
    destination = tmp_path_factory.mktemp("website")
    built = build_site(destination)
    assert built.returncode == 0, built.stderr
    return destination


@pytest.fixture
def full_disk() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """A block in which no file can grow beyond some bytes: to who writes, the disk is full."""
    resource = pytest.importorskip("resource", reason="needs a system that limits the size of files")

    @contextlib.contextmanager
    def limited(most: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture
def tiny_config() -> "VideoGANConfig":
    """A TGAN of 8 px and 4 frames."""
    import tiny

    return tiny.plain()


@pytest.fixture
def tiny_store() -> "ClipStore":
    """Six clips of ten frames of noise, in memory."""
    import tiny

    return tiny.store()


@pytest.fixture
def make_sampler() -> "Callable[..., WindowSampler]":
    """A function that makes a sampler of the tiny store from a seed."""
    import tiny

    return tiny.sampler


@pytest.fixture
def configs() -> "dict[str, VideoGANConfig]":
    """Tiny GANs of every kind: name → configuration."""
    import tiny

    return tiny.configs()
