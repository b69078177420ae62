"""Archives unpack to what was packed, or to nothing and an error that says what to do."""

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rar_writer import LINK, UNRAR, pack, write_rar

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
    with pytest.raises(ArchiveError, match=r"unpack to more than 500,000"):
        unpack(archive, tmp_path / "out", limit=500_000)
    most = 100 * archive.stat().st_size  # whatever the limit
    with pytest.raises(ArchiveError, match=f"archive has .* unpack to more than {most:,}"):
        unpack(archive, tmp_path / "out", limit=1 << 40)
    assert not (tmp_path / "out").exists()


def test_zip_that_lies_about_its_size(tmp_path: Path):
    archive = write_zip(tmp_path / "a.zip", {"zeros": bytes(10_000_000)})
    honest, lie = struct.pack("<I", 10_000_000), struct.pack("<I", 10)
    archive.write_bytes(archive.read_bytes().replace(honest, lie))
    with pytest.raises(ArchiveError, match="member 'zeros', cannot be unpacked: Bad CRC"):
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


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", ["a/b", "./a/b", "a//b"])
@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
def test_member_that_is_there_twice(tmp_path: Path, again: str, write, unpack):
    archive = tmp_path / "archive"
    if again == "a/b":
        kinds = {write_zip: zipfile.ZipFile, write_tar: tarfile.open}
        with kinds[write](archive, "w") as file:
            for data in (b"one", b"two"):
                (tmp_path / "data").write_bytes(data)
                getattr(file, "write" if write is write_zip else "add")(tmp_path / "data", "a/b")
        (tmp_path / "data").unlink()
    else:
        write(archive, {"a/b": b"one", again: b"two"})
    with pytest.raises(ArchiveError, match=r"has the member '.*' twice; nothing was unpacked"):
        unpack(archive, tmp_path / "out", limit=1000)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
@pytest.mark.parametrize("files", [{"a": b"file", "a/b": b"under it"}, {"n" * 300: b"a long name"}])
def test_names_that_no_disk_takes(tmp_path: Path, files: dict[str, bytes], write, unpack):
    archive = write(tmp_path / "archive", files)
    with pytest.raises(ArchiveError, match=rf"archive, member '{list(files)[-1]}', cannot be unpacked"):
        unpack(archive, tmp_path / "out", limit=1000)


def test_zip_with_a_name_that_is_not_utf_8(tmp_path: Path):
    archive = write_zip(tmp_path / "a.zip", {"caf\u00e9": b"one"})
    archive.write_bytes(archive.read_bytes().replace("caf\u00e9".encode(), b"caf\xff\xfe"))
    with pytest.raises(ArchiveError, match=r"a\.zip cannot be unpacked: 'utf-8' codec"):
        unpack_zip(archive, tmp_path / "out", limit=1000)


@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
def test_disk_that_fills_up(tmp_path: Path, full_disk, write, unpack):
    archive = write(tmp_path / "archive", {"small": b"one", "noise": os.urandom(100_000)})
    message = r"archive, member 'noise', cannot be unpacked: .*free some space"
    with full_disk(50_000), pytest.raises(ArchiveError, match=message):
        unpack(archive, tmp_path / "out", limit=200_000)


@pytest.mark.parametrize("unpack", [unpack_zip, unpack_tar, unpack_rar])
def test_absent_archive(tmp_path: Path, unpack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "find_rar_tools", lambda: ["unrar"])
    with pytest.raises(FileNotFoundError, match="absent"):
        unpack(tmp_path / "absent", tmp_path / "out", limit=1)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_tar_that_is_cut_between_members_or_has_a_damaged_header(tmp_path: Path, pack: Callable[[bytes], bytes]):
    whole = write_tar(tmp_path / "whole", FILES, "w:").read_bytes()
    for data in (whole[:1024], whole[:1100], whole[:1024] + b"x" + whole[1025:]):  # each member takes two blocks
        (tmp_path / "a.tar").write_bytes(pack(data))
        with pytest.raises(
            ArchiveError, match=r"cannot be unpacked: (.*header|bad checksum), 1,024 bytes from its beginning"
        ):
            unpack_tar(tmp_path / "a.tar", tmp_path / "out", limit=1000)
    (tmp_path / "a.tar").write_bytes(pack(whole))
    assert contents(unpack_tar(tmp_path / "a.tar", tmp_path / "out", limit=1000)) == FILES


@pytest.mark.parametrize(
    ("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar), (write_rar, unpack_rar)]
)
def test_archive_without_files(tmp_path: Path, write, unpack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "find_rar_tools", lambda: ["unrar"])
    with pytest.raises(ArchiveError, match="archive holds no files"):
        unpack(write(tmp_path / "archive", {}), tmp_path / "out", limit=1000)


@pytest.mark.parametrize(("write", "unpack"), [(write_zip, unpack_zip), (write_tar, unpack_tar)])
def test_disk_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write, unpack):
    archive = write(tmp_path / "archive", FILES)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=599))
    with pytest.raises(DownloadError, match="unpacking archive needs"):
        unpack(archive, tmp_path / "out", limit=1000)


# RAR


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make PATH hold nothing but the programs that a test puts there, written in Python."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))

    def add(name: str, body: str = UNRAR) -> None:
        program = directory / name
        program.write_text(f"#!{sys.executable} -IS\n{body}")
        program.chmod(0o755)

    return add


# These read the sample by which they are tried, but nothing longer.
FAILING = UNRAR.replace("sys.stdout", "if size > 3: sys.exit(3)\n    sys.stdout")
NOISY = UNRAR.replace("sys.stdout", "if size > 3: print('x' * 1_000_000)\n    sys.stdout")
needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in programs are scripts")


@needs_scripts
def test_no_tool(tools, tmp_path: Path):
    with pytest.raises(ArchiveError, match=r"(?s)none is installed.*apt install.*brew install.*winget install"):
        find_rar_tools()
    tools("7zz", "")  # built without RAR
    tools("unrar", "import sys; sys.exit(1)")  # another program of this name
    with pytest.raises(ArchiveError, match="unrar, 7zz installed, but without RAR support"):
        unpack_rar(write_rar(tmp_path / "a.rar", FILES), tmp_path / "out", limit=600)


@needs_scripts
def test_most_capable_tool_is_taken(tools, tmp_path: Path):
    tools("unar")
    tools("7zz")
    archive = write_rar(tmp_path / "a.rar", FILES, packed=True)
    assert find_rar_tools() == ["7zz", "unar"]
    assert unpack_rar(archive, tmp_path / "out", limit=600, progress=False) == "7zz"
    tools("unrar")
    assert unpack_rar(archive, tmp_path / "out", limit=600, progress=False) == "unrar"
    assert contents(tmp_path / "out") == FILES


@needs_scripts
def test_next_tool_is_tried_where_one_fails(tools, tmp_path: Path):
    archive = write_rar(tmp_path / "a.rar", {"stored": b"", **FILES}, packed=True)
    tools("unrar", FAILING)
    tools("7zz", NOISY)
    with pytest.raises(ArchiveError) as caught:
        unpack_rar(archive, tmp_path / "out", limit=600, progress=False)
    for words in ("unrar: UCF-101/", "enough data", "7zz: UCF-101/", "CRC check failed", "damaged", "apt"):
        assert words in str(caught.value)
    tools("unar")
    (tmp_path / "out" / "left").write_text("by an earlier run")
    assert unpack_rar(archive, tmp_path / "out", limit=600, progress=False) == "unar"
    assert contents(tmp_path / "out") == {"stored": b"", **FILES}, "what others left must be gone"


@needs_scripts
def test_interrupt_stops_the_tool(tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    endless = UNRAR.replace(
        "sys.stdout",
        f"while size > 3: open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
        " and print('x' * 1000)\n    sys.stdout",
    ).replace("import ", "import os, ")
    tools("unrar", endless)

    def interrupt(source, target) -> None:
        source.read(100)
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.copyfileobj", interrupt)
    monkeypatch.setattr(archives, "find_rar_tools", lambda: ["unrar"])
    with pytest.raises(KeyboardInterrupt):
        unpack_rar(write_rar(tmp_path / "a.rar", FILES, packed=True), tmp_path / "out", limit=600)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@needs_scripts
@pytest.mark.parametrize("name", LEAVING)
def test_rar_member_that_leaves_the_target(tools, tmp_path: Path, name: str):
    tools("unrar")
    (tmp_path / "deep").mkdir()
    archive = write_rar(tmp_path / "deep" / "a.rar", {"good.txt": b"good", name: b"evil"})
    with pytest.raises(ArchiveError, match="nothing was unpacked"):
        unpack_rar(archive, tmp_path / "deep" / "deeper" / "out", limit=1000)
    assert contents(tmp_path / "deep") == {"a.rar": archive.read_bytes()}


@needs_scripts
def test_rar_member_that_is_there_twice(tools, tmp_path: Path):
    tools("unrar")
    archive = write_rar(tmp_path / "a.rar", {"a/b": b"one", "a/./b": b"two"})
    with pytest.raises(ArchiveError, match=r"has the member '.*' twice; nothing was unpacked"):
        unpack_rar(archive, tmp_path / "out", limit=1000)
    assert not (tmp_path / "out").exists()


@needs_scripts
@pytest.mark.parametrize(
    ("options", "message"),
    [({"modes": {"link": LINK}}, "has a link, 'link'; nothing"), ({"encrypted": True}, "is encrypted; nothing")],
)
def test_rar_with_a_link_or_encrypted(tools, tmp_path: Path, options: dict, message: str):
    tools("unrar")
    archive = write_rar(tmp_path / "a.rar", {"link": b"/etc", "link/x": b"evil"}, **options)
    with pytest.raises(ArchiveError, match=message):
        unpack_rar(archive, tmp_path / "out", limit=1000)
    assert not (tmp_path / "out").exists()


@needs_scripts
def test_rar_that_is_too_large(tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tools("unrar")
    archive = write_rar(tmp_path / "a.rar", FILES)
    with pytest.raises(ArchiveError, match="more than 599"):
        unpack_rar(archive, tmp_path / "out", limit=599)
    bomb = write_rar(tmp_path / "bomb.rar", {"zeros": b"0" * 1000}, sizes={"zeros": 1_000_000})
    with pytest.raises(ArchiveError, match=rf"unpack to more than {100 * bomb.stat().st_size:,}"):
        unpack_rar(bomb, tmp_path / "out", limit=1 << 40)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=599))
    with pytest.raises(DownloadError, match=r"unpacking a\.rar needs"):
        unpack_rar(archive, tmp_path / "out", limit=1000)
    assert not (tmp_path / "out").exists()


@needs_scripts
@pytest.mark.parametrize("packed", [False, True])
def test_rar_that_lies_about_its_size(tools, tmp_path: Path, packed: bool):
    tools("unrar")
    archive = write_rar(tmp_path / "a.rar", {"zeros": bytes(100_000)}, packed=packed, sizes={"zeros": 10})
    with pytest.raises(ArchiveError, match="CRC check failed"):
        unpack_rar(archive, tmp_path / "out", limit=1000, progress=False)
    assert sum(len(data) for data in contents(tmp_path / "out").values()) <= 1000


@needs_scripts
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_rar(tools, tmp_path: Path, packed: bool):
    tools("unrar")
    noise = bytes(byte % 255 for byte in os.urandom(5000))
    whole = write_rar(tmp_path / "whole", {"noise": noise}, packed=packed).read_bytes()
    for data in (whole[:2500], whole[:2500] + bytes(50) + whole[2550:], whole[:30], whole[:25] + b"x" + whole[26:]):
        (tmp_path / "damaged").write_bytes(data)
        with pytest.raises(ArchiveError, match=r"damaged .*etch it again"):
            unpack_rar(tmp_path / "damaged", tmp_path / "out", limit=10_000, progress=False)
    for data in (b"<html>", b""):
        (tmp_path / "damaged").write_bytes(data)
        with pytest.raises(
            ArchiveError, match=r"does not begin as a RAR archive does.* make sure that it is the right"
        ):
            unpack_rar(tmp_path / "damaged", tmp_path / "out", limit=10_000)


@needs_scripts
def test_permissions_in_a_rar_do_not_count(tools, tmp_path: Path):
    tools("unrar")
    archive = write_rar(tmp_path / "a.rar", FILES, modes=dict.fromkeys(FILES, 0o100000))
    unpack_rar(archive, tmp_path / "out", limit=600, progress=False)
    for path in (tmp_path / "out").rglob("*.avi"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("tool", RAR_TOOLS)
def test_real_tool(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    try:
        installed = find_rar_tools()
    except ArchiveError:
        installed = []
    if tool not in installed:
        pytest.skip(f"no {tool} that reads RAR is installed")
    monkeypatch.setattr(archives, "find_rar_tools", lambda: [tool])
    files = {**FILES, "bytes": bytes(range(256)) * 10}
    for packed in (False, True):
        archive = write_rar(tmp_path / "plain.rar", files, packed=packed)
        assert unpack_rar(archive, tmp_path / "out", limit=10_000) == tool
        assert contents(tmp_path / "out") == files
    damaged = tmp_path / "damaged.rar"
    damaged.write_bytes(archive.read_bytes().replace(pack(b"two" * 100)[20:], pack(b"tow" * 100)[20:]))
    with pytest.raises(ArchiveError, match=rf"(?s){tool}: .*CRC.*Either the archive is damaged"):
        unpack_rar(damaged, tmp_path / "out", limit=10_000)
    assert "solid" not in caplog.text
    unpack_rar(write_rar(tmp_path / "solid.rar", files, packed=True, solid=True), tmp_path / "out", limit=10_000)
    assert contents(tmp_path / "out") == files
    assert "unpack it yourself" in caplog.text
