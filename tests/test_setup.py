"""The files that say what to install, and which version this is, agree with each other."""

import importlib.metadata
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture(scope="module")
def project(repository: Path) -> dict:
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project: dict) -> list[Requirement]:
    """Every dependency of the package, extras included."""
    extras = project["optional-dependencies"].values()
    named = [Requirement(text) for group in (project["dependencies"], *extras) for text in group]
    return [requirement for requirement in named if requirement.name != project["name"]]


@pytest.fixture(scope="module")
def pins(repository: Path) -> dict[str, Version]:
    """The versions in constraints.txt; anything but an exact one is an error."""
    lines = [line.partition("#")[0].strip() for line in (repository / "constraints.txt").read_text().splitlines()]
    found = {}
    for line in filter(None, lines):
        name, separator, version = line.partition("==")
        assert separator, f"constraints.txt: {line!r} is not an exact version"
        assert canonicalize_name(name) not in found, f"constraints.txt names {name} twice"
        found[canonicalize_name(name)] = Version(version)
    return found


@pytest.fixture(scope="module")
def environment(repository: Path) -> list:
    return yaml.safe_load((repository / "environment.yml").read_text())["dependencies"]


def test_every_dependency_is_pinned_to_a_version_it_allows(requirements, pins):
    for requirement in requirements:
        assert canonicalize_name(requirement.name) in pins, f"constraints.txt does not pin {requirement.name}"
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_what_colab_brings_is_not_asked_for_in_another_version(project):
    plain = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    for name in ("torch", "torchvision", "numpy", "scipy", "matplotlib", "pillow", "requests", "tqdm"):
        assert not plain[name].specifier
    assert not plain.keys() & {"jupyterlab", "notebook", "ipykernel", "ipython", "ipywidgets", "tornado"}


def test_whoever_follows_the_readme_gets_jupyterlab(project):
    """It is an extra, and the installation lines name ``test``, which includes it."""
    extras = project["optional-dependencies"]
    assert {Requirement(text).name for text in extras["lab"]} == {"jupyterlab", "ipywidgets"}
    assert f"{project['name']}[lab]" in extras["test"]


def test_torch_and_torchvision_are_the_pair_that_belongs_together(pins):
    assert (pins["torch"], pins["torchvision"]) == (Version("2.13.0"), Version("0.28.0"))


def test_what_is_installed_is_what_is_pinned(pins):
    """The tests speak for the versions of constraints.txt only if they ran with them (a +cpu build is as good)."""
    # Not all that can be imported: setuptools, once somebody has, puts packages of its own on the path.
    site_packages = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    installed = {
        canonicalize_name(distribution.metadata["Name"]): Version(distribution.version)
        for distribution in importlib.metadata.distributions(path=site_packages)
    }
    different = {
        name: f"{installed[name]}, pinned {version}"
        for name, version in pins.items()
        if name in installed and installed[name].public != version.public
    }
    assert not different, "run `make install`"


def test_conda_users_get_this_package_under_the_same_constraints(environment):
    pip_lines = next(entry["pip"] for entry in environment if isinstance(entry, dict))
    assert pip_lines == ["--constraint constraints.txt", "--editable .[test]"]
    others = {entry.partition("=")[0] for entry in environment if isinstance(entry, str)}
    assert others == {"python", "pip"}, "conda brings Python alone; versions of the rest are constraints.txt's"


def test_the_versions_of_python_agree(repository, project, environment):
    asked = SpecifierSet(project["requires-python"])
    conda = next(entry for entry in environment if str(entry).startswith("python=")).partition("=")[2]
    lowest = next(iter(asked)).version
    assert conda == lowest
    ruff = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["ruff"]["target-version"]
    assert ruff == "py" + lowest.replace(".", "")
    assert tuple(map(int, lowest.split("."))) == (3, 11)
    assert "version_info < (3, 11)" in (repository / "Makefile").read_text()
    assert f"Python {lowest}" in (repository / "README.md").read_text()


def test_every_way_to_install_uses_the_constraints(repository):
    """In the Makefile and in what people are told to type."""
    for name in ("Makefile", "README.md", "CONTRIBUTING.md"):
        lines = (repository / name).read_text().splitlines()
        installs = [line for line in lines if re.search(r"pip install\b.*(--editable|-e) ", line)]
        assert installs or name == "CONTRIBUTING.md"
        for line in installs:
            assert re.search(r"(--constraint|-c) constraints\.txt", line), f"{name}: {line.strip()}"


def test_the_version_is_the_same_everywhere(repository, project):
    citation = yaml.safe_load((repository / "CITATION.cff").read_text())
    latest = re.search(r"^## \[(.+?)\]", (repository / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert citation["version"] == latest == project["version"]
    assert citation["license"] == project["license"] == "MIT"
    assert citation["repository-code"] == project["urls"]["Repository"]


def test_the_citation_names_what_citing_needs(repository):
    citation = yaml.safe_load((repository / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys(), reference.get("title")
    identifiers = {entry["value"] for reference in citation["references"] for entry in reference["identifiers"]}
    assert "arXiv:1912.08860" in identifiers


@pytest.mark.parametrize("target", ["help", "install", "demo", "lab", "site", "links", "lint", "test", "gpu", "clean"])
def test_make_knows_the_target(repository, target):
    """A dry run, so nothing happens; `help` lists each of them."""
    dry = subprocess.run(["make", "--dry-run", target], cwd=repository, capture_output=True, text=True, env=_plain())
    assert dry.returncode == 0, dry.stderr
    listed = subprocess.run(["make"], cwd=repository, capture_output=True, text=True, env=_plain())
    assert re.search(rf"^make {target}\b", listed.stdout, re.MULTILINE)


def test_installation_happens_once(repository, tmp_path):
    """With the stamp newer than what it depends on, there is nothing to install; otherwise there is."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((repository / name).read_text())
    command = ["make", "--dry-run", "install"]
    assert "pip install --constraint constraints.txt" in _output(command, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "installed").touch()
    assert "pip install" not in _output(command, tmp_path)
    os.utime(tmp_path / ".venv" / "installed", (0, 0))
    assert "pip install" in _output(command, tmp_path)


def test_continuous_integration_runs_what_make_test_runs(repository):
    script = (repository / ".ci" / "run").read_text()
    assert re.fullmatch(r"exec make (--jobs \d+ )?test( #.*)?", script.splitlines()[-1])
    assert "set -euo pipefail" in script
    assert os.access(repository / ".ci" / "run", os.X_OK)
    assert subprocess.run(["bash", "-n", repository / ".ci" / "run"]).returncode == 0
    commands = _output(["make", "--dry-run", "test"], repository)
    for part in ("ruff check", "ruff format --check", "--nbval ", " tests course"):
        assert part in commands
    assert "-m not" not in commands and '-m "not' not in commands, "no kind of test is left out"


def test_durations_are_told_by_part(repository, tmp_path):
    """With ``--durations``, also when other processes run the tests."""
    shutil.copy(repository / "tests" / "conftest.py", tmp_path)
    sources = {
        "a": "import time\n\ndef test_one(): time.sleep(0.2)\n\ndef test_two(): pass",
        "b": "import pytest\n\n@pytest.mark.slow\ndef test(): pass\n\n@pytest.mark.browser\ndef test_2(): 1 / 0",
        "site": "def test(): pass",
    }
    (tmp_path / "tests").mkdir()
    for name, source in sources.items():
        (tmp_path / "tests" / f"test_{name}.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-o", "markers=slow\nbrowser", "--rootdir", tmp_path]
    command += ["-p", "no:cacheprovider", "-p", "xdist", "--numprocesses", "1", "--durations", "10", "tests"]
    environment = _plain() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment).stdout
    told = told.partition("seconds by part")[2]
    found = re.findall(r"^ +([\d.]+)s (.+) \((\d+) tests\)$", told, re.MULTILINE)
    tests = {part: int(count) for _, part, count in found}
    assert tests == {"unit": 2, "slow": 1, "browser": 1, "site": 1, "in all": 5}
    assert found[0][1] == "unit" and float(found[0][0]) >= 0.2


def _plain() -> dict[str, str]:
    """The environment without what an outer `make` passes on to inner ones."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def _output(command: list[str], directory: Path) -> str:
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True, env=_plain()).stdout


def test_an_installation_without_a_checkout_has_the_trained_weights(repository, monkeypatch):
    """All that is loaded from them is installed, in the same directories: what setup.py tells setuptools."""
    told = {}
    monkeypatch.setattr("setuptools.setup", lambda **arguments: told.update(arguments))
    monkeypatch.chdir(repository)
    runpy.run_path("setup.py")
    installed = {Path(home, Path(path).name) for home, paths in told["data_files"] for path in paths}
    endings = (".json", ".jsonl", ".safetensors")
    needed = [path.relative_to(repository) for path in (repository / "pretrained").rglob("*") if path.suffix in endings]
    assert installed == {Path("share/ldvd-course", path) for path in needed}
    index = json.loads((repository / "pretrained" / "index.json").read_text())
    assert {Path("pretrained", entry["file"]) for entry in index.values()} < set(needed)
