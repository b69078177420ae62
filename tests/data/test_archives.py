"""Archives unpack to what was packed, or to nothing and an error that says what to do."""

import io
import os
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from ldvd_lib.data import archives
from ldvd_lib.data.archives import RAR_TOOLS, ArchiveError, find_rar_tools, unpack_rar, unpack_tar, unpack_zip
from ldvd_lib.data.transfer import DownloadError

FILES = {"UCF-101/Diving/v_Diving_g01_c01.avi": b"one" * 100, "UCF-101/Diving/v_Diving_g01_c02.avi": b"two" * 100}
LEAVING = ["../x", "a/../../x", "/x", "..", "..\\x", "\\x", "C:\\x", "C:x", "\\\\server\\share\\x"]


def contents(tree: Path) -> dict[str, bytes]:
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as file:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


def write_rar(path: Path, files: dict[str, bytes], *, solid: bool = False) -> Path:
    """A RAR 4 archive with stored members: headers and data, no compression."""

    def block(kind: int, flags: int, body: bytes) -> bytes:
        header = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header

    parts = [b"Rar!\x1a\x07\x00", block(0x73, 0x08 if solid else 0, bytes(6))]
    for number, (name, data) in enumerate(files.items()):
        name_bytes = name.replace("/", "\\").encode()
        size, windows, date, version, stored = len(data), 2, 0x41214000, 29, 0x30
        numbers = (size, size, windows, zlib.crc32(data), date, version, stored, len(name_bytes), 0x20)
        flags = 0x8000 | (0x10 if solid and number else 0)
        parts += [block(0x74, flags, struct.pack("<IIBIIBBHI", *numbers) + name_bytes), data]
    path.write_bytes(b"".join(parts) + block(0x7B, 0x4000, b""))
    return path


# ZIP and TAR


@pytest.mark.parametrize(
    ("write", "unpack"),
    [
        (write_zip, unpack_zip),
        (write_tar, unpack_tar),
        (lambda path, files: write_tar(path, files, "w"), unpack_tar),  # some archives only call themselves .tar.gz
    ],
)
def test_round_trip(tmp_path: Path, write, unpack):
    archive = write(tmp_path / "archive", FILES)
    assert unpack(archive, tmp_path / "out", limit=600) == tmp_path / "out"
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize("name", LEAVING)
@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
def test_member_that_leaves_the_target(tmp_path: Path, name: str, write, unpack):
    archive = write(tmp_path / "archive", {"good.txt": b"good", name: b"evil"})
    with pytest.raises(ArchiveError, match="nothing was unpacked"):
        unpack(archive, tmp_path / "deep" / "out", limit=1000)
    assert contents(tmp_path) == {"archive": archive.read_bytes()}


def test_zip_with_a_link(tmp_path: Path):
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc")
        file.writestr("link/x", "evil")
    with pytest.raises(ArchiveError, match="a link"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out", limit=1000)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_tar_with_a_link_or_device(tmp_path: Path, kind: bytes):
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        file.addfile(member)
    with pytest.raises(ArchiveError, match="link or device"):
        unpack_tar(tmp_path / "a.tar", tmp_path / "out", limit=1000)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
def test_bomb(tmp_path: Path, write, unpack):
    archive = write(tmp_path / "archive", {"zeros": bytes(10_000_000)})
    assert archive.stat().st_size < 100_000
    with pytest.raises(ArchiveError, match=r"more than 1,000,000 bytes"):
        unpack(archive, tmp_path / "out", limit=1_000_000)
    assert not (tmp_path / "out").exists()


def test_zip_that_lies_about_its_size(tmp_path: Path):
    archive = write_zip(tmp_path / "a.zip", {"zeros": bytes(10_000_000)})
    honest, lie = struct.pack("<I", 10_000_000), struct.pack("<I", 10)
    archive.write_bytes(archive.read_bytes().replace(honest, lie))
    with pytest.raises(ArchiveError, match="not a sound ZIP"):
        unpack_zip(archive, tmp_path / "out", limit=1000)
    assert sum(len(data) for data in contents(tmp_path / "out").values()) <= 1000


@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
def test_damage(tmp_path: Path, write, unpack):
    whole = write(tmp_path / "whole", {"noise": os.urandom(5000)}).read_bytes()
    middle = len(whole) // 2
    for data in (whole[:middle], whole[:middle] + bytes(50) + whole[middle + 50 :], b"<html>", b""):
        (tmp_path / "damaged").write_bytes(data)
        with pytest.raises(ArchiveError, match="etch it again"):
            unpack(tmp_path / "damaged", tmp_path / "out", limit=10_000)


@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
def test_disk_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write, unpack):
    archive = write(tmp_path / "archive", FILES)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=599))
    with pytest.raises(DownloadError, match="unpacking archive needs"):
        unpack(archive, tmp_path / "out", limit=1000)


# RAR


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make PATH hold nothing but the programs that a test puts there, written in Python."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))

    def add(name: str, says: str, body: str = "sys.exit(1)") -> None:
        """A program that says what it is when asked, and otherwise runs `body` with `archive` and `target` set."""
        program = directory / name
        lines = [
            f"#!{sys.executable} -IS",
            "import os, sys, time, zipfile",
            "arguments = [a for a in sys.argv[1:] if os.path.isabs(a) or a.startswith('-o/')]",
            f"if not arguments: print({says!r}); sys.exit(0)",
            "archive = next(a for a in arguments if os.path.isfile(a))",
            "target = next(a.removeprefix('-o') for a in arguments if a != archive)",
            body,
        ]
        program.write_text("\n".join(lines))
        program.chmod(0o755)

    return add


UNPACK = "zipfile.ZipFile(archive).extractall(target)"
UNRAR, SEVEN_ZIP = (
    "UNRAR 7.00 freeware  Copyright (c) 1993-2024 Alexander Roshal",
    "7-Zip (z) 24.09  Rar  rar r00  D 40303 Rar3",
)
needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in programs are scripts")


@needs_scripts
def test_no_tool(tools, tmp_path: Path):
    with pytest.raises(ArchiveError, match=r"(?s)none is installed.*apt install.*brew install.*winget install"):
        find_rar_tools()
    tools("7zz", "7-Zip (z) 24.09  Rar  rar r00  R a r ! 1A 07 00  D 30401 PPMD")
    tools("unrar", "unrar-free 0.1.3  Copyright (C) 2004  Ben Asselstine, Jeroen Dekkers")
    with pytest.raises(ArchiveError, match="unrar, 7zz installed, but without RAR support"):
        unpack_rar(write_zip(tmp_path / "a.rar", FILES), tmp_path / "out")


@needs_scripts
def test_most_capable_tool_is_taken(tools, tmp_path: Path):
    tools("bsdtar", "bsdtar 3.6.2 - libarchive 3.6.2", UNPACK)
    tools("7zz", SEVEN_ZIP, UNPACK)
    archive = write_zip(tmp_path / "a.rar", FILES)
    assert [tool.name for tool in find_rar_tools()] == ["7zz", "bsdtar"]
    assert unpack_rar(archive, tmp_path / "out", progress=False) == "7zz"
    tools("unrar", UNRAR, UNPACK)
    assert unpack_rar(archive, tmp_path / "out", progress=False) == "unrar"
    assert contents(tmp_path / "out") == FILES


@needs_scripts
def test_next_tool_is_tried_where_one_fails(tools, tmp_path: Path):
    def check(tree: Path) -> None:
        if contents(tree) != FILES:
            raise ArchiveError("not all is there")

    archive = write_zip(tmp_path / "a.rar", FILES)
    tools("unrar", UNRAR, "open(target + '/half', 'w'); print('CRC failed', file=sys.stderr); sys.exit(3)")
    tools("7zz", SEVEN_ZIP, "open(target + '/other', 'w')")  # reports success, but left everything out
    with pytest.raises(ArchiveError) as caught:
        unpack_rar(archive, tmp_path / "out", check=check, progress=False)
    for said in ("unrar: exit code 3, saying 'CRC failed'", "7zz: not all is there", "does not begin as a RAR", "apt"):
        assert said in str(caught.value)
    tools("bsdtar", "libarchive", UNPACK)
    assert unpack_rar(archive, tmp_path / "out", check=check, progress=False) == "bsdtar"
    assert contents(tmp_path / "out") == FILES, "what the failing tools left must be gone"


@needs_scripts
def test_interrupt_stops_the_tool(tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tools("unrar", UNRAR, "open(target + '/pid', 'w').write(str(os.getpid())); time.sleep(60)")
    written = tmp_path / "out" / "pid"

    def interrupt(target: Path, bar: object) -> None:
        if written.exists() and written.read_text():
            raise KeyboardInterrupt

    monkeypatch.setattr(archives, "_show_files", interrupt)
    with pytest.raises(KeyboardInterrupt):
        unpack_rar(write_zip(tmp_path / "a.rar", FILES), tmp_path / "out")
    with pytest.raises(ProcessLookupError):
        os.kill(int(written.read_text()), 0)


@needs_scripts
def test_noisy_tool_does_not_hang(tools, tmp_path: Path):
    tools("unrar", UNRAR, f"print('x' * 1_000_000); {UNPACK}")
    assert unpack_rar(write_zip(tmp_path / "a.rar", FILES), tmp_path / "out", progress=False) == "unrar"


@pytest.mark.parametrize("tool", RAR_TOOLS, ids=lambda tool: tool.name)
def test_real_tool(tool: archives.RarTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if not tool.is_able():
        pytest.skip(f"no {tool.name} that reads RAR is installed")
    monkeypatch.setattr(archives, "RAR_TOOLS", (tool,))
    plain = write_rar(tmp_path / "plain.rar", FILES)
    assert unpack_rar(plain, tmp_path / "out", num_files=2) == tool.name
    assert contents(tmp_path / "out") == FILES
    solid = write_rar(tmp_path / "solid.rar", FILES, solid=True)
    if tool.name == "bsdtar":  # the reason why it comes last; if this fails one day, it need not
        with pytest.raises(ArchiveError, match="solid"):
            unpack_rar(solid, tmp_path / "out")
    else:
        unpack_rar(solid, tmp_path / "out")
        assert contents(tmp_path / "out") == FILES
        damaged = tmp_path / "damaged.rar"
        damaged.write_bytes(plain.read_bytes().replace(b"twotwo", b"twoTWO"))
        with pytest.raises(ArchiveError, match="Either the archive is damaged"):
            unpack_rar(damaged, tmp_path / "out")


def test_bsdtar_reads_other_formats_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bsdtar = RAR_TOOLS[-1]
    if not bsdtar.is_able():
        pytest.skip("bsdtar is not installed (Debian: libarchive-tools)")
    monkeypatch.setattr(archives, "RAR_TOOLS", (bsdtar,))
    for write in (write_zip, write_tar):
        unpack_rar(write(tmp_path / "archive.rar", FILES), tmp_path / "out", progress=False)
        assert contents(tmp_path / "out") == FILES


def test_program_that_hangs_counts_as_unable(monkeypatch: pytest.MonkeyPatch):
    def hang(*arguments: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("unrar", 30)

    monkeypatch.setattr(archives.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(archives.subprocess, "run", hang)
    with pytest.raises(ArchiveError, match="without RAR support"):
        find_rar_tools()
