"""Files that are whole or not there, and that say what is wrong with them."""

import errno
import os
import resource
from pathlib import Path

import pytest
import torch

from ldvd_lib._kit.files import load_tensors, remove_leftovers, replacing, save_tensors, writing


def test_weights_are_as_readable_as_any_other_file(tmp_path) -> None:
    before = os.umask(0o027)
    try:
        path = save_tensors(tmp_path / "weights.safetensors", {"a": torch.ones(2)})
        with replacing(tmp_path / "other.txt") as temporary:
            temporary.write_text("")
    finally:
        os.umask(before)
    assert path.stat().st_mode == (tmp_path / "other.txt").stat().st_mode
    assert path.stat().st_mode & 0o777 == 0o640


def test_tensors_come_back_as_they_were(tmp_path) -> None:
    tensors = {"a": torch.randn(3, 2).T, "half": torch.ones(2, dtype=torch.float16), "n": torch.tensor(3)}
    loaded = load_tensors(save_tensors(tmp_path / "t.safetensors", tensors))
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite_are_named_with_their_file(tmp_path, value: float) -> None:
    path = save_tensors(tmp_path / "t.safetensors", {"a": torch.ones(2), "b": torch.tensor([0.0, value])})
    with pytest.raises(ValueError, match=r"t\.safetensors cannot be used: b has values that are not finite"):
        load_tensors(path)


def test_a_full_disk_says_which_file_and_what_to_do_and_leaves_what_was(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with (
            pytest.raises(OSError, match=rf"File too large: free some space.*{path}'") as caught,
            replacing(path) as new,
        ):
            new.write_bytes(bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("a.txt", "before")]


def test_an_error_without_a_file_gets_its_name_and_others_stay(tmp_path) -> None:
    with pytest.raises(OSError, match=r"\[Errno 5\] Input/output error: 'a\.txt'"), writing(Path("a.txt")):
        raise OSError(errno.EIO, "Input/output error")
    for error in (FileNotFoundError(errno.ENOENT, "No such file", "b.txt"), OSError("in words"), ValueError("a")):
        with pytest.raises(type(error)) as caught, writing(Path("a.txt")):
            raise error
        assert caught.value is error


def test_leftovers_of_one_file_are_removed_and_no_others(tmp_path) -> None:
    ours, others = (
        ".a-0123abcd.txt",
        (".a-0123abcd.json", ".a-0123abcg.txt", ".ab-0123abcd.txt", "a-0123abcd.txt", "a.txt"),
    )
    for name in (ours, *others):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "a.txt")
    assert {path.name for path in tmp_path.iterdir()} == {*others}
