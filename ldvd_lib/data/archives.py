"""Unpacking archives that come from elsewhere: nothing lands outside the target, nothing fills the disk by surprise.

Python itself reads ZIP and TAR. RAR is a closed format: the library rarfile reads what is in an archive and lets a
program that the user has installed decompress it. A function that raises may leave part of the contents behind: unpack
to a directory that can be thrown away.
"""

import contextlib
import io
import logging
import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ldvd_lib._kit.packages import needed
from ldvd_lib.data.transfer import DownloadError, check_free_space

if TYPE_CHECKING:
    import rarfile

logger = logging.getLogger(__name__)

RAR_ADVICE = """Install one of these and run again:
  Debian, Ubuntu:  sudo apt install unar      (or unrar, from non-free or multiverse)
  Fedora:          sudo dnf install unar
  Arch:            sudo pacman -S unrar
  macOS:           brew install unar          (its sevenzip is built without RAR)
  Windows:         winget install 7zip.7zip   (then add its folder to PATH)"""

# What rarfile calls the programs that it can use, by their names on PATH; the most capable first. It knows bsdtar too,
# but calls it with arguments that bsdtar does not understand.
RAR_TOOLS = {"unrar": "unrar", "7zz": "sevenzip2", "7z": "sevenzip", "unar": "unar"}

# A RAR archive with a file of three bytes, compressed by the method that UCF-101 is compressed by.
_SAMPLE = bytes.fromhex(
    "526172211a0700cf907300000d0000000000000094d27400802600140000000300000002506d7efc004021411d3306002000000073616d706c65"
    "000000000880000000808bfda57fb80524152ffac43d7b00400700"
)

_NOTHING = "nothing was unpacked. Make sure that it is the right file."

# What the archive modules and the decompressors below them raise on damaged data, on purpose or by stumbling.
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RuntimeError, MemoryError),
)
# Films are hardly smaller in an archive than out of it, and lists of their names by a factor of 20 at most.
_LARGEST_RATIO = 100
_PURPOSE = "to read RAR archives"


class ArchiveError(ValueError):
    """An archive that cannot or must not be unpacked; the message says why and what to do."""


def unpack_zip(archive: str | Path, target: str | Path, *, limit: int) -> Path:
    """Unpack a ZIP archive into `target`.

    Args:
        archive: the file.
        target: directory to fill; made if absent.
        limit: most bytes that the unpacked files may have together; more than 100 times the archive's own are too many
            in any case.

    Returns:
        `target`.

    Raises:
        ArchiveError: damaged, too large, a disk that fills up, or a member that would leave `target` or is there twice;
            the message names archive and member. Nothing is unpacked of an archive that is too large or has such a
            member: it is not to be trusted with the others.
        DownloadError: the disk is too small from the beginning.
        FileNotFoundError: there is no such archive.
    """
    archive, target = Path(archive), Path(target)
    with archive.open("rb") as raw, _told(archive), zipfile.ZipFile(raw) as file:
        members = file.infolist()
        # On the way in, zipfile cuts a name at its first NUL byte; `orig_filename` is what was written.
        _check_names(archive, (member.orig_filename for member in members))
        for member in members:
            if stat.S_ISLNK(member.external_attr >> 16) or member.flag_bits & 1:
                raise ArchiveError(f"{archive} has an encrypted file or a link, {member.filename!r}; {_NOTHING}")
        # A member cannot yield more than it declares: zipfile stops there and then finds the checksum wrong.
        total = sum(member.file_size for member in members)
        _check_size(archive, total, limit)
        check_free_space(target, total, f"unpacking {archive.name}")
        for member in members:
            with _told(archive, member.filename):
                file.extract(member, target)
    return target


class _Header(tarfile.TarInfo):
    """A header that tells damage from the end of the archive, which tarfile does not after the first member."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Header":
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the block of zeros with which a whole archive ends
                raise
            raise tarfile.ReadError(f"{error}, {tarfile_.offset:,} bytes from its beginning") from error


def unpack_tar(archive: str | Path, target: str | Path, *, limit: int) -> Path:
    """Unpack a TAR archive, compressed or not, into `target`. Arguments and errors as for :func:`unpack_zip`."""
    archive, target = Path(archive), Path(target)
    with archive.open("rb") as raw, _told(archive), tarfile.open(fileobj=raw, tarinfo=_Header) as file:
        members, total = [], 0
        for member in file:  # and not getmembers(): a bomb shall be noticed before all of it is read
            if not (member.isfile() or member.isdir()):
                raise ArchiveError(f"{archive} has a link or device, {member.name!r}; {_NOTHING}")
            members.append(member)
            total += member.size
            _check_size(archive, total, limit)
        _check_names(archive, (member.name + "/" * member.isdir() for member in members))
        check_free_space(target, total, f"unpacking {archive.name}")
        # Python before 3.11.4 has no such filter; the checks above do not depend on it.
        file.extraction_filter = getattr(tarfile, "data_filter", None)
        for member in members:
            with _told(archive, member.name):
                file.extract(member, target)
        while file.fileobj.read(1 << 20):  # on to the end, where gzip keeps its checksum
            pass
    return target


@contextlib.contextmanager
def _told(archive: Path, member: str | None = None) -> Iterator[None]:
    """Whatever goes wrong with an archive, or with one member of it, as an ArchiveError that names it."""
    try:
        yield
    except (ArchiveError, DownloadError):
        raise
    except (OSError, *_DAMAGE) as error:
        place = f"{archive}" if member is None else f"{archive}, member {member!r},"
        reason = str(error) or type(error).__name__
        raise ArchiveError(
            f"{place} cannot be unpacked: {reason}. If the disk is full, free some space; if the archive is damaged, "
            "delete it and fetch it again."
        ) from error


def _check_names(archive: Path, names: Iterable[str]) -> None:
    """Refuse members that lead out of the target, on this system or another, files that are there twice, and no files.

    Args:
        archive: the file, for the error.
        names: of its members; those of directories end with a slash.
    """
    files: set[PurePosixPath] = set()
    for name in names:
        windows, posix = PureWindowsPath(name), PurePosixPath(name)
        if windows.drive or windows.root or posix.is_absolute() or ".." in windows.parts or "\0" in name:
            raise ArchiveError(f"{archive} has a member that would leave the target, {name!r}; {_NOTHING}")
        if name.endswith("/"):
            continue
        if posix in files:
            raise ArchiveError(f"{archive} has the member {name!r} twice; {_NOTHING}")
        files.add(posix)
    if not files:
        raise ArchiveError(f"{archive} holds no files; {_NOTHING}")


def _check_size(archive: Path, total: int, limit: int) -> None:
    size = archive.stat().st_size
    if total > (most := min(limit, _LARGEST_RATIO * size)):
        raise ArchiveError(
            f"{archive} has {size:,} bytes and would unpack to more than {most:,}, which its contents have no reason "
            f"to; {_NOTHING}"
        )


def find_rar_tools() -> list[str]:
    """The installed programs that read RAR, the most capable first.

    Raises:
        ArchiveError: none is installed; the message names the package to install on each system.
        MissingPackageError: the package rarfile is not installed.
    """
    tools = [tool for tool in RAR_TOOLS if _reads_rar(tool)]
    if not tools:
        installed = [tool for tool in RAR_TOOLS if shutil.which(tool)]
        seen = f"{', '.join(installed)} installed, but without RAR support" if installed else "none is installed"
        raise ArchiveError(f"unpacking RAR needs one of {', '.join(RAR_TOOLS)}: {seen}.\n{RAR_ADVICE}")
    return tools


def unpack_rar(archive: str | Path, target: str | Path, *, limit: int, progress: bool = True) -> str:
    """Unpack a RAR archive into `target`, which is emptied first.

    The installed programs are tried in the order of :data:`RAR_TOOLS` until one succeeds.

    Args:
        archive: the file.
        target: directory to fill; what it held before is removed.
        limit: most bytes that the unpacked files may have together, as for :func:`unpack_zip`.
        progress: whether to show a progress bar.

    Returns:
        The name of the program that did it.

    Raises:
        ArchiveError: no program is installed, or none could unpack this archive (the message says why for each); or the
            archive is damaged, encrypted or too large, or has a link or a member that would leave `target` or is there
            twice; or the disk fills up.
        DownloadError: the disk is too small from the beginning.
        FileNotFoundError: there is no such archive.
        MissingPackageError: the package rarfile is not installed.
    """
    with needed("rarfile", _PURPOSE):
        import rarfile
    archive, target = Path(archive).resolve(), Path(target).resolve()
    tools, failures = find_rar_tools(), []
    file, total = _open_rar(archive, limit)
    check_free_space(target, total, f"unpacking {archive.name}")
    if file.is_solid():
        logger.warning(
            "%s is packed as one solid block, where each file is reached only through all before it. That takes long: "
            "with a large archive, rather unpack it yourself, for example with `unrar x`.",
            archive,
        )
    for tool in tools:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _choose(tool)
        for member in tqdm(file.infolist(), f"unpacking with {tool}", unit="file", disable=not progress):
            stumble: Exception | None = None
            with _told(archive, member.filename):
                try:
                    # Permissions from the archive could keep us from reading what it holds, or from deleting it.
                    Path(file.extract(member, target)).chmod(0o755 if member.is_dir() else 0o644)
                except (rarfile.Error, *_DAMAGE) as error:
                    stumble = error
            if stumble:
                failures.append(f"  {tool}: {member.filename}: {stumble}")
                logger.warning("%s could not be unpacked by %s", archive.name, failures[-1].strip())
                break
        else:
            return tool
    raise ArchiveError(
        f"{archive} could not be unpacked:\n" + "\n".join(failures) + "\nEither the archive is damaged (then delete it "
        f"and fetch it again), or a more capable program is needed. {RAR_ADVICE}"
    )


def _open_rar(archive: Path, limit: int) -> "tuple[rarfile.RarFile, int]":
    """A RAR archive whose members can all be trusted, and how many bytes they have together."""
    with needed("rarfile", _PURPOSE):
        import rarfile
    with archive.open("rb") as raw:
        beginning = raw.read(24)
    try:
        with _told(archive):
            file = rarfile.RarFile(archive, errors="strict")
            encrypted, members = file.needs_password(), file.infolist()
    except rarfile.NotRarFile as error:
        raise ArchiveError(
            f"{archive} does not begin as a RAR archive does, but with {beginning!r}: make sure that it is the right "
            "file."
        ) from error
    except rarfile.Error as error:
        raise ArchiveError(f"{archive} is not a sound RAR archive: {error}. Delete it and fetch it again.") from error
    if encrypted:
        raise ArchiveError(f"{archive} is encrypted; {_NOTHING}")
    _check_names(archive, (member.filename for member in members))
    for member in members:
        if not (member.is_file() or member.is_dir()) or member.file_redir:
            raise ArchiveError(f"{archive} has a link, {member.filename!r}; {_NOTHING}")
    # A member cannot yield more than it declares: rarfile stops there and then finds the checksum wrong.
    total = sum(member.file_size for member in members)
    _check_size(archive, total, limit)
    return file, total


def _reads_rar(tool: str) -> bool:
    """Whether a program is installed and does decompress RAR: not every 7z can, nor everything that is called unrar."""
    with needed("rarfile", _PURPOSE):
        import rarfile
    try:
        _choose(tool)
        return rarfile.RarFile(io.BytesIO(_SAMPLE)).read("sample") == b"RAR"
    except (rarfile.Error, OSError):
        return False


def _choose(tool: str) -> None:
    """Let rarfile use this program and no other.

    Raises:
        rarfile.RarCannotExec: it is not installed, or does not run.
    """
    with needed("rarfile", _PURPOSE):
        import rarfile
    rarfile.tool_setup(**{option: option == RAR_TOOLS[tool] for option in RAR_TOOLS.values()}, bsdtar=False, force=True)
