"""The command line of data_scripts/prepare_ucf101.py: options, messages and exit codes."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from ldvd_lib.data import ClipStore


@pytest.fixture
def script(repository: Path) -> ModuleType:
    path = repository / "data_scripts" / "prepare_ucf101.py"
    spec = importlib.util.spec_from_file_location("prepare_ucf101_script", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_makes_the_store_that_was_asked_for(script, tree, tmp_path, capsys):
    options = ["--image-size", "8", "--stride", "2", "--subset", "all", "--fold", "3", "--min-frames", "10"]
    assert script.main([str(tree), str(tmp_path / "store"), *options]) == 0
    store = ClipStore.open(tmp_path / "store", image_size=8, stride=2, subset="all", fold=3)
    assert len(store) == 6
    output = capsys.readouterr().out
    assert "6 of 9 listed clips can be used" in output
    assert "too short: 3" in output
    assert f"{len(store.frames)} frames" in output


def test_quiet_says_nothing(script, tree, tmp_path, capsys):
    assert script.main([str(tree), str(tmp_path / "store"), "--image-size", "8", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_errors_come_without_a_traceback(script, tree, tmp_path, capsys):
    assert script.main([str(tmp_path / "nowhere"), str(tmp_path / "store")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "nowhere" in error
    (tree / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi").unlink()
    assert script.main([str(tree), str(tmp_path / "store"), "--strict"]) == 1
    assert "missing: v_YoYo_g01_c01" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_an_interrupt_says_how_to_go_on(script, tree, tmp_path, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(script, "prepare", interrupt)
    assert script.main([str(tree), str(tmp_path / "store")]) == 130
    assert "run the same command again" in capsys.readouterr().err
