"""Archives and downloads."""

import hashlib
import json
import os
import sys
import tarfile
import zipfile
from functools import partial
from pathlib import Path
from unittest import mock

from local_server import LocalServer
from rar_writer import UNRAR, write_rar

from kinds.kind import Kind, Result, wrong
from ldvd_lib.data import archives, transfer


def _packed(number: int) -> dict[str, bytes]:
    return {f"UCF-101/Diving/v_Diving_g0{i}_c01.avi": bytes((i * j + number) % 251 for j in range(300)) for i in (1, 2)}


def make_zip(directory: Path, number: int) -> None:
    with zipfile.ZipFile(directory / "clips.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in _packed(number).items():
            file.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def make_tar(directory: Path, number: int) -> None:
    source = directory / "source"
    for name, data in _packed(number).items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    with tarfile.open(directory / "clips.tar.gz", "w:gz") as file:
        file.add(source / "UCF-101", "UCF-101")


def make_rar(directory: Path, number: int, *, packed: bool) -> None:
    write_rar(directory / "clips.rar", _packed(number), packed=packed)
    (directory / "bin").mkdir()
    (directory / "bin" / "unrar").write_text(f"#!{sys.executable}\n{UNRAR}")
    (directory / "bin" / "unrar").chmod(0o755)


def use_archive(directory: Path, *, name: str) -> Result:
    """What is in the archive; a process of its own for a program that unpacks."""
    target = directory / "out"
    if name.endswith(".rar"):
        with (
            mock.patch.dict(os.environ, {"PATH": str(directory / "bin")}),
            mock.patch.object(archives, "find_rar_tools", lambda: ["unrar"]),
        ):
            archives.unpack_rar(directory / name, target, limit=10_000, progress=False)
    else:
        unpack = archives.unpack_zip if name.endswith(".zip") else archives.unpack_tar
        unpack(directory / name, target, limit=10_000)
    assert not [path for path in directory.iterdir() if path.name not in (name, "out", "bin", "source")], (
        "left its target"
    )
    return sorted(
        (path.relative_to(target).as_posix(), path.read_bytes()) for path in target.rglob("*") if path.is_file()
    )


def sound_archive(result: Result, expected: Result) -> str:
    """A member's name has no checksum; what is in it has. And of two archives in a row, a ZIP is the last."""
    contents = sorted(data for _, data in result)
    return wrong(contents_of_an_archive=contents in (sorted(_packed(number).values()) for number in (0, 1)))


def sound_rar(result: Result, expected: Result) -> str:
    """Cut between two members, a RAR is no other than one with fewer: the list of clips tells that they are missing."""
    return wrong(
        contents_of_the_archive=bool(result) and {data for _, data in result} <= {data for _, data in expected}
    )


CONTENT = bytes(i * i % 251 for i in range(100_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def make_part(directory: Path, number: int) -> None:
    """Half of a file, and the note beside it, as an interrupted download leaves them."""
    length = len(CONTENT) // 2 + 1000 * number
    (directory / "file.bin.part").write_bytes(CONTENT[:length])
    note = {"url": "http://127.0.0.1/file.bin", "validator": None, "total": len(CONTENT), "safe_length": length}
    (directory / "file.bin.part.json").write_text(json.dumps(note))


def use_part(directory: Path) -> Result:
    patience = transfer.Transfer(attempts=2, backoff=0.0, connect_timeout=5, read_timeout=5, progress=False)
    with mock.patch.dict(os.environ, {"no_proxy": "127.0.0.1"}), LocalServer().running() as server:
        server.files["file.bin"] = CONTENT
        address = server.url("file.bin")
        note = directory / "file.bin.part.json"
        # The port is another each time.
        note.write_bytes(note.read_bytes().replace(b"http://127.0.0.1/file.bin", address.encode()))
        return transfer.fetch(address, directory / "file.bin", sha256=SHA256, transfer=patience).read_bytes()


KINDS = {
    "zip": Kind(make_zip, partial(use_archive, name="clips.zip"), ("clips.zip",), sound_archive),
    "tar.gz": Kind(make_tar, partial(use_archive, name="clips.tar.gz"), ("clips.tar.gz",)),
    "rar, stored": Kind(
        partial(make_rar, packed=False), partial(use_archive, name="clips.rar"), ("clips.rar",), sound_rar
    ),
    "rar, packed": Kind(
        partial(make_rar, packed=True), partial(use_archive, name="clips.rar"), ("clips.rar",), sound_rar
    ),
    "unfinished download": Kind(make_part, use_part, ("file.bin.part", "file.bin.part.json"), also_named=("file.bin",)),
}
