"""The command line of data_scripts/download_ucf101.py: options, messages and exit codes."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from ldvd_lib.data.download import ARCHIVE_SOURCE, SPLITS_SOURCE, RemoteFile, Transfer


@pytest.fixture
def script(repository: Path) -> ModuleType:
    path = repository / "data_scripts" / "download_ucf101.py"
    spec = importlib.util.spec_from_file_location("download_ucf101_script", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_help_runs(repository: Path):
    command = [sys.executable, repository / "data_scripts" / "download_ucf101.py", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    for word in ("--archive", "--splits", "--subset", "--sha256", "--ca-bundle", "--verify", "examples:"):
        assert word in result.stdout


def test_verify_tells_by_its_exit_code(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    assert script.main([str(tmp_path / "data"), "--verify"]) == 1
    assert "0 of 13,320 clips" in capsys.readouterr().out
    report = SimpleNamespace(complete=True, summary=lambda limit: "all is well")
    monkeypatch.setattr(script.download, "verify", lambda directory: report)
    assert script.main([str(tmp_path / "data"), "--verify"]) == 0


def test_errors_come_without_a_traceback(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture):
    for arguments, message in (
        (["--archive", str(tmp_path / "absent.rar")], "error: there is no file"),
        (["--ca-bundle", str(tmp_path / "absent.pem")], "error: there is no certificate bundle"),
        (["--attempts", "0"], "error: attempts is 0"),
        (["--url", "file:///x", "--splits-url", "file:///x", "--quiet"], "error: file:///x cannot be asked for"),
    ):
        assert script.main([str(tmp_path / "data"), *arguments]) == 1
        assert capsys.readouterr().err.startswith(message)


@pytest.mark.parametrize("arguments", [[], ["d", "--size", "many"], ["d", "--size", "-1"], ["d", "x", "--what"]])
def test_misuse_has_exit_code_2(script: ModuleType, arguments: list[str]):
    with pytest.raises(SystemExit) as caught:
        script.main(arguments)
    assert caught.value.code == 2


def test_subset_goes_with_no_archive(script: ModuleType, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        script.main(["data", "--subset", "--archive", "x.rar"])
    assert "neither --archive nor --splits" in capsys.readouterr().err


def test_subset_options_reach_the_library(script: ModuleType, monkeypatch: pytest.MonkeyPatch):
    calls: list[tuple] = []
    monkeypatch.setattr(script.download, "download_subset", lambda *given, **named: calls.append((*given, named)))
    assert script.main(["data", "--subset"]) == 0
    assert script.main(["data", "--subset", "a/b", "--subset-file", "c.tar", "--revision", "v1"]) == 0
    assert calls == [
        (Path("data"), "sayakpaul/ucf101-subset", {"filename": "UCF101_subset.tar.gz", "revision": None}),
        (Path("data"), "a/b", {"filename": "c.tar", "revision": "v1"}),
    ]


def test_options_reach_the_library(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[dict] = []
    monkeypatch.setattr(script.download, "download_ucf101", lambda directory, **options: calls.append(options))
    assert script.main(["data"]) == 0
    assert script.main(["data", "--size", "5", "--sha256", "ab", "--delete-archive", "--quiet", "--timeout", "3"]) == 0
    assert (
        script.main(["data", "--url", "https://mirror.example/x.rar", "--splits-url", "https://mirror.example/s"]) == 0
    )
    default, chosen, mirror = calls
    assert default["archive_source"] == ARCHIVE_SOURCE and default["splits_source"] == SPLITS_SOURCE
    assert default["keep_archive"] and default["transfer"] == Transfer()
    assert (chosen["archive_source"].size, chosen["archive_source"].sha256) == (5, "ab")
    assert not chosen["keep_archive"] and chosen["transfer"].read_timeout == 3 and not chosen["transfer"].progress
    assert mirror["archive_source"] == RemoteFile("https://mirror.example/x.rar")
    assert mirror["splits_source"] == RemoteFile("https://mirror.example/s")


def test_ctrl_c_says_how_to_go_on(script: ModuleType, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    def interrupt(directory: Path, **options) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(script.download, "download_ucf101", interrupt)
    assert script.main(["data"]) == 130
    assert "run the same command again" in capsys.readouterr().err
