"""On Colab, simulated: the bootstrap cell installs the library beside a PyTorch that is already there, and spares that.

The simulation is a virtual environment that has what Colab brings (this environment's files, under other versions, and
no JupyterLab), a real IPython that runs the cell as it stands in the notebooks, and a repository made of the checkout,
to which git is told to go in place of the project's address.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ldvd_lib.classroom.environment import environment_report

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "course"))

import execute  # noqa: E402

slow = pytest.mark.slow

# What Colab brings of what we need, with all that it needs itself; pip does the installing.
BROUGHT = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "pillow", "requests", "tqdm", "pip")
BROUGHT += ("ipython", "ipykernel", "ipywidgets")
# Under versions other than ours, to which a dependency that asked for ours would put an end.
VERSIONS = {"torch": "2.6.0+cu124", "torchvision": "0.21.0+cu124", "numpy": "2.0.2", "ipywidgets": "7.7.1"}

# Runs cells in IPython, and says of each whether it went well, what it printed and what it had the shell do.
KERNEL = """
import contextlib, io, json, sys, types
from IPython.core.interactiveshell import InteractiveShell

if json.loads(sys.argv[2]):
    sys.modules["google.colab"] = types.ModuleType("google.colab")
shell = InteractiveShell.instance()
system, commands, told = shell.system, [], []

def recorded(command):
    commands.append(command)
    return system(command)

shell.system = recorded
for cell in json.loads(sys.argv[1]):
    commands.clear()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        result = shell.run_cell(cell)
    told.append({"success": result.success, "printed": printed.getvalue(), "commands": list(commands)})
print(json.dumps(told))
"""

LESSON = """
import json
import ldvd_lib
import torch
from ldvd_lib._kit import shelf
from ldvd_lib.runs import pretrained
from ldvd_lib import widgets, zoo

gan = zoo.build("tgan", preset="lite")
with torch.no_grad():
    videos = gan.generator(gan.generator.sample_latents(2))
    scores = [discriminator(videos) for discriminator in gan.discriminators.values()]
weights = [shelf.load_weights(name)[0] for name in shelf.entries()]
models = [pretrained.load(row.name) for row in pretrained.list_models()]
browser = widgets.SampleBrowser(gan.generator, num_videos=2)
print(json.dumps({
    "library": ldvd_lib.__file__,
    "weights": str(pretrained.directory()),
    "loaded": [len(tensors) for tensors in weights],
    "videos": videos.shape,
    "scores": [answer.shape for answer in scores],
    "script": len(browser._esm),
}))
"""


@dataclass
class Colab:
    """The simulated machine, before and after its first notebook."""

    python: Path
    site: Path
    notebook: Callable[[list[str]], list[dict]]
    versions: dict[str, str]
    files: dict[Path, tuple[int, int, int]]
    first: list[dict]


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Colab:
    """A machine on which one notebook has been opened, and its bootstrap cell run, twice."""
    directory = tmp_path_factory.mktemp("colab")
    _publish(directory / "published")
    venv.create(directory / "python", with_pip=False)
    python = directory / "python" / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    for distribution in _with_what_they_need(BROUGHT):
        _bring(distribution, site)
    environment = _environment(directory / "published")
    _skip_without_a_package_index(python, environment)
    (directory / "content").mkdir()

    def notebook(cells: list[str]) -> list[dict]:
        """Run cells in an IPython of their own."""
        command = [python, "-c", KERNEL, json.dumps(cells), "true"]
        result = subprocess.run(command, cwd=directory / "content", env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout.splitlines()[-1])

    versions, files = _versions(site), _files(site)
    return Colab(python, site, notebook, versions, files, notebook([execute.bootstrap()] * 2))


@slow
def test_the_first_notebook_installs_the_library_and_says_what_it_found(colab):
    cell = colab.first[0]
    assert cell["success"], cell["printed"]
    assert len(cell["commands"]) == 1
    assert re.search(r"-m pip install --quiet \"ldvd-course @ git\+https://.+@v[\d.]+\"", cell["commands"][0])
    assert cell["printed"].splitlines()[-1] == f"Device: {environment_report().device_in_words}"
    assert "ldvd-course" in _versions(colab.site)


@slow
def test_what_was_there_is_neither_replaced_nor_touched(colab):
    after = _versions(colab.site)
    assert {name: after.get(name) for name in colab.versions} == colab.versions
    assert after["torch"] == VERSIONS["torch"]
    assert len(colab.files) > 5000
    assert {path: _identity(path) for path in colab.files} == colab.files


@slow
def test_what_colab_has_in_its_own_way_is_not_installed(colab):
    assert not _versions(colab.site).keys() & {"jupyterlab", "jupyter-server", "notebook", "pytest"}


@slow
def test_once_installed_the_cell_does_nothing_and_the_library_works(colab):
    """Run again in the same notebook, and in a second one on the same machine."""
    again, lesson = colab.notebook([execute.bootstrap(), LESSON])
    for cell in (colab.first[1], again):
        assert cell == {"success": True, "printed": "", "commands": []}
    assert lesson["success"], lesson["printed"]
    told = json.loads(lesson["printed"].splitlines()[-1])
    assert Path(told["library"]).is_relative_to(colab.site)
    assert Path(told["weights"]).is_relative_to(colab.python.parents[1])
    assert all(told["loaded"])
    assert told["videos"] == [2, 3, 16, 32, 32]
    assert told["scores"] == [[2]]
    assert told["script"] > 1000


def test_elsewhere_the_cell_installs_nothing_and_says_how_to(tmp_path):
    """In a kernel that lacks the library, and is not Colab's."""
    hidden = "import importlib.util; importlib.util.find_spec = lambda name: None"
    command = [sys.executable, "-c", KERNEL, json.dumps([hidden, execute.bootstrap()]), "false"]
    environment = os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    _, cell = json.loads(done.stdout.splitlines()[-1])
    assert cell["success"] and cell["commands"] == []
    (line,) = cell["printed"].splitlines()
    assert re.search(r"To install it: %pip install \"ldvd-course @ git\+https://.+@v[\d.]+\"$", line)


def _publish(directory: Path) -> None:
    """Make a repository of the checkout as it is, changes that are not committed included, its version as the tag."""
    if shutil.which("git") is None:
        pytest.skip("git is not on the PATH")
    listing = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("the course is not in a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, directory / name)
    _, version = execute.project()
    author = ["-c", "user.name=Course", "-c", "user.email=course@example.org", "-c", "commit.gpgsign=false"]
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--message", "The course"],
        ["tag", "--no-sign", f"v{version}"],
    ):
        subprocess.run(["git", *command], cwd=directory, check=True)


def _environment(published: Path) -> dict[str, str]:
    """Variables for the machine: nothing that leads to the checkout, and the project's address leads to `published`."""
    address, _ = execute.project()
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return kept | {
        "PYTHONNOUSERSITE": "1",
        "IPYTHONDIR": str(published.with_name("ipython")),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{published.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }


def _skip_without_a_package_index(python: Path, environment: dict[str, str]) -> None:
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["build-system"]["requires"]
    command = [python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--retries", "0", *build]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True)
    if asked.returncode:
        pytest.skip(f"pip reaches no package index: {asked.stderr.strip().splitlines()[-1]}")


def _with_what_they_need(names: Iterable[str]) -> list[importlib.metadata.Distribution]:
    """The distributions of these names in this environment, and all that they require."""
    found, waiting = {}, list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            requirements = map(Requirement, found[name].requires or [])
            waiting += [each.name for each in requirements if not each.marker or each.marker.evaluate({"extra": ""})]
    return list(found.values())


def _bring(distribution: importlib.metadata.Distribution, site: Path) -> None:
    """Put a distribution into another environment, its files linked, perhaps under another version."""
    name = canonicalize_name(distribution.metadata["Name"])
    version = VERSIONS.get(name, distribution.version)
    ours, theirs = (f"{distribution.name}-{each}.dist-info" for each in (distribution.version, version))
    for file in distribution.files:
        if ".." in file.parts:
            continue  # a script or a page of the manual
        target = site / Path(*(theirs if part == ours else part for part in file.parts))
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.name == "METADATA" and target.parent.parent == site:
            text = file.locate().read_text("utf-8")
            text = re.sub(r"(?m)^Version: .+$", f"Version: {version}", text, count=1)
            text = re.sub(r"(?m)^Requires-Dist: torch\b.*$", f"Requires-Dist: torch=={VERSIONS['torch']}", text)
            target.write_text(text, "utf-8")
        elif target.name == "RECORD" and target.parent.parent == site:
            target.write_text(file.locate().read_text("utf-8").replace(ours, theirs), "utf-8")
        else:
            _link(file.locate(), target)


def _link(source: Path, target: Path) -> None:
    """A hard link, which takes neither time nor space, or a copy where the two are on different disks."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _versions(site: Path) -> dict[str, str]:
    found = importlib.metadata.distributions(path=[str(site)])
    return {canonicalize_name(each.metadata["Name"]): each.version for each in found}


def _files(site: Path) -> dict[Path, tuple[int, int, int]]:
    """The files there, but for bytecode, which Python may write anew."""
    return {path: _identity(path) for path in site.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def _identity(path: Path) -> tuple[int, int, int] | None:
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
