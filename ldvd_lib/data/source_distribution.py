"""What a Python package carries: its source distribution, fetched by the package client, and nothing of it run.

``pip`` knows where packages come from on this machine (index, mirror, proxy, certificates), and compares a source
distribution with a hash before it looks into it. But then it asks for the package's metadata, and to tell them the
package's own build script would run, with whatever that needs fetched, too. So for this one call pip is given a build
backend of ours, which says name and version: no code of the package runs, and nothing else is fetched.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

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


def fetch(package: str, version: str, *, sha256: str) -> bytes:
    """Fetch the source distribution of a package with pip, under its hash, and run nothing of it.

    It must be one without ``pyproject.toml``, which could name another build backend than ours.

    Args:
        package: its name on the package index.
        version: which one, exactly.
        sha256: of the file, 64 hexadecimal digits.

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
        environment = {**os.environ, "PYTHONPATH": path}
        pip = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
        files = list(destination.glob("*")) if destination.is_dir() else []
        if pip.returncode or len(files) != 1:
            said = "\n".join((pip.stderr.strip() or pip.stdout.strip()).splitlines()[-_LINES:])
            raise DownloadError(f"pip could not fetch the source distribution of {package} {version}:\n{said}")
        return files[0].read_bytes()
