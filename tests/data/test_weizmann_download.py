"""From an empty directory to the Weizmann actions, through interruptions; nothing leaves this machine."""

import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from local_server import Answer, LocalServer

from ldvd_lib.data import weizmann, weizmann_download
from ldvd_lib.data.transfer import DownloadError, Transfer
from ldvd_lib.data.weizmann_download import download_weizmann, known_files, missing_files

# Made up: two files in each folder, enough for one person.
CONTENTS = {f"{folder}/{number}.jpg": f"{folder} {number} ".encode() * 40_000 for folder in "0134" for number in (2, 3)}
FILES = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENTS.items()}
ONCE = Transfer(attempts=1, backoff=0.0, progress=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with LocalServer().running() as running:
        running.files = {f"actions/{name}": data for name, data in CONTENTS.items()}
        yield running


def download(server: LocalServer, directory: Path) -> Path:
    return download_weizmann(directory, source=server.url("actions"), files=FILES, transfer=ONCE)


def contents(directory: Path) -> dict[str, bytes]:
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_every_file_comes_and_nothing_else_stays(server, tmp_path):
    assert missing_files(tmp_path / "data", FILES) == list(FILES)
    root = download(server, tmp_path / "data")
    assert contents(root / "actions") == CONTENTS
    assert sorted(path.name for path in root.iterdir()) == [".download.lock", "actions", "download.json"]
    receipt = json.loads((root / "download.json").read_text())["weizmann"]
    assert receipt["url"] == server.url("actions") and receipt["files"] == 8
    assert len(weizmann.strips(root)) == 8 and weizmann.is_at(root)
    assert missing_files(root, FILES) == []


def test_what_is_there_is_not_asked_for_again(server, tmp_path):
    root = download(server, tmp_path / "data")
    server.requests.clear()
    download(server, root)
    assert server.requests == []
    (root / "actions" / "3" / "2.jpg").unlink()
    download(server, root)
    assert [path for path, _ in server.requests] == ["/actions/3/2.jpg"]
    assert contents(root / "actions") == CONTENTS


def test_an_interrupted_download_shows_nothing_and_goes_on(server, tmp_path):
    root = tmp_path / "data"
    server.script = [Answer(), Answer(), Answer(drop_after=100_000)]
    with pytest.raises(DownloadError, match=r"gave up on .*\n2 of 8 files are here.*git clone"):
        download(server, root)
    assert not (root / "actions").exists() and not weizmann.is_at(root)
    server.requests.clear()
    download(server, root)
    assert len(server.requests) == 6 and server.ranges()[0] == "bytes=65536-"  # whole chunks
    assert contents(root / "actions") == CONTENTS and not (root / "actions.partial").exists()


def test_other_bytes_are_refused_there_and_here(server, tmp_path):
    root = tmp_path / "data"
    server.files["actions/1/3.jpg"] = other = b"another picture"
    digest = hashlib.sha256(other).hexdigest()
    with pytest.raises(
        DownloadError, match=rf"1/3.jpg .*not the expected one: its SHA-256 is {digest} where {FILES['1/3.jpg']}"
    ):
        download(server, root)
    assert not (root / "actions").exists()
    server.files["actions/1/3.jpg"] = CONTENTS["1/3.jpg"]
    download(server, root)
    (root / "actions" / "1" / "3.jpg").write_bytes(other)
    server.requests.clear()
    with pytest.raises(DownloadError, match=rf"1.3.jpg is there already, but its SHA-256 is {digest}.* Delete it"):
        download(server, root)
    assert server.requests == []


def test_the_known_files_are_two_of_each_of_nine_people_in_four_folders():
    files = known_files()
    assert len(files) == len(set(files.values())) == 72
    numbers = sorted(int(Path(name).stem) for name in files)
    assert numbers == list(range(72))  # every person has all actions in a row
    assert {name[0] for name in files} == set(weizmann.FOLDERS)
    assert all(len(bytes.fromhex(digest)) == 32 for digest in files.values())
    assert len(weizmann_download.COMMIT) == 40 and weizmann_download.COMMIT in weizmann_download.SOURCE


def test_the_real_files_are_those_that_are_known(weizmann_root):
    assert missing_files(weizmann_root) == []


@pytest.fixture
def script(repository: Path) -> ModuleType:
    path = repository / "data_scripts" / "download_weizmann.py"
    spec = importlib.util.spec_from_file_location("download_weizmann_script", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_says_what_it_does(script, capsys):
    with pytest.raises(SystemExit):
        script.main(["--help"])
    text = capsys.readouterr().out
    assert "data/weizmann" in text and weizmann_download.COMMIT in re.sub(r"\s", "", text)


def test_the_script_fetches_and_errors_come_without_a_traceback(script, server, tmp_path, capsys, monkeypatch):
    where = ["--out", str(tmp_path / "data"), "--quiet", "--attempts", "1"]
    assert script.main([*where, "--url", server.url("nowhere")]) == 1
    assert re.match(r"error: .*/nowhere/0/00000002.jpg answered 404", capsys.readouterr().err)
    assert script.main(["--out", str(tmp_path / "data"), "--verify"]) == 1
    assert "has 0 of the 72 files" in capsys.readouterr().out
    monkeypatch.setattr(weizmann_download, "known_files", lambda: FILES)
    assert script.main([*where, "--url", server.url("actions")]) == 0
    assert script.main([*where, "--verify"]) == 0
    assert capsys.readouterr().out.endswith("has 8 of the 8 files of the Weizmann actions\n")


def test_ctrl_c_says_how_to_go_on(script, capsys, monkeypatch):
    def interrupt(directory, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(weizmann_download, "download_weizmann", interrupt)
    assert script.main([]) == 130
    assert "run the same command again" in capsys.readouterr().err
