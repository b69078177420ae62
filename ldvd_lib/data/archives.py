"""Unpacking archives that come from elsewhere: nothing lands outside the target, nothing fills the disk by surprise.

ZIP and TAR are read by Python itself. RAR is a closed format, so :func:`unpack_rar` drives a program that the user has
installed. A function that raises may leave part of the contents behind: unpack to a directory that can be thrown away.
"""

import logging
import lzma
import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm.auto import tqdm

from ldvd_lib.data.transfer import check_free_space

logger = logging.getLogger(__name__)

RAR_ADVICE = """Install one of these and run again:
  Debian, Ubuntu:  sudo apt install unar      (or unrar, from non-free or multiverse)
  Fedora:          sudo dnf install unar
  Arch:            sudo pacman -S unrar
  macOS:           brew install unar          (its sevenzip is built without RAR)
  Windows:         winget install 7zip.7zip   (then add its folder to PATH)"""

_NOTHING = "nothing was unpacked. Make sure that it is the right file."

# What the decompressors raise on damaged data, besides the errors of the archive modules themselves.
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError)


class ArchiveError(ValueError):
    """An archive that cannot or must not be unpacked; the message says why and what to do."""


def unpack_zip(archive: str | Path, target: str | Path, *, limit: int) -> Path:
    """Unpack a ZIP archive into `target`.

    Args:
        archive: the file.
        target: directory to fill; made if absent.
        limit: most bytes that the unpacked files may have together.

    Returns:
        `target`.

    Raises:
        ArchiveError: damaged, too large, or a member that would leave `target`. Nothing is unpacked in the last two
            cases: an archive with one such member is not to be trusted with the others.
        DownloadError: the disk is too small.
    """
    archive, target = Path(archive), Path(target)
    try:
        with zipfile.ZipFile(archive) as file:
            members = file.infolist()
            for member in members:
                # On the way in, zipfile cuts a name at its first NUL byte; `orig_filename` is what was written.
                _check_name(archive, member.orig_filename)
                if stat.S_ISLNK(member.external_attr >> 16) or member.flag_bits & 1:
                    raise ArchiveError(f"{archive} has an encrypted file or a link, {member.filename!r}; {_NOTHING}")
            # A member cannot yield more than it declares: zipfile stops there and then finds the checksum wrong.
            total = sum(member.file_size for member in members)
            _check_size(archive, total, limit)
            check_free_space(target, total, f"unpacking {archive.name}")
            file.extractall(target)
    except (zipfile.BadZipFile, NotImplementedError, *_DAMAGE) as error:
        raise ArchiveError(f"{archive} is not a sound ZIP archive: {error}. Delete it and fetch it again.") from error
    return target


def unpack_tar(archive: str | Path, target: str | Path, *, limit: int) -> Path:
    """Unpack a TAR archive, compressed or not, into `target`. Arguments and errors as for :func:`unpack_zip`."""
    archive, target = Path(archive), Path(target)
    try:
        with tarfile.open(archive) as file:
            total = 0
            for member in file:  # and not getmembers(): a bomb shall be noticed before all of it is read
                _check_name(archive, member.name)
                if not (member.isfile() or member.isdir()):
                    raise ArchiveError(f"{archive} has a link or device, {member.name!r}; {_NOTHING}")
                total += member.size
                _check_size(archive, total, limit)
            check_free_space(target, total, f"unpacking {archive.name}")
            # Python before 3.11.4 has no such filter; the checks above do not depend on it.
            file.extraction_filter = getattr(tarfile, "data_filter", None)
            file.extractall(target)
            while file.fileobj.read(1 << 20):  # on to the end, where gzip keeps its checksum
                pass
    except (tarfile.TarError, OSError, *_DAMAGE) as error:  # OSError: gzip's way of saying "not gzip" or "wrong CRC"
        raise ArchiveError(f"{archive} cannot be unpacked: {error}. If it is damaged, fetch it again.") from error
    return target


def _check_name(archive: Path, name: str) -> None:
    """Refuse a member name that could lead out of the directory it is unpacked to, on this system or another."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    if windows.drive or windows.root or posix.is_absolute() or ".." in windows.parts or "\0" in name:
        raise ArchiveError(f"{archive} has a member that would leave the target, {name!r}; {_NOTHING}")


def _check_size(archive: Path, total: int, limit: int) -> None:
    if total > limit:
        raise ArchiveError(
            f"{archive} would unpack to more than {limit:,} bytes, which its contents have no reason to; {_NOTHING}"
        )


@dataclass(frozen=True)
class RarTool:
    """A program that may be able to read RAR.

    Args:
        name: of the executable on PATH.
        probe: arguments that make it say what it is.
        reads_rar: pattern in that text by which a build that reads RAR is known.
        extract: arguments that unpack; ``{archive}`` and ``{target}`` are filled in.
    """

    name: str
    probe: Sequence[str]
    reads_rar: str
    extract: Sequence[str]

    @property
    def executable(self) -> str | None:
        return shutil.which(self.name)

    def is_able(self) -> bool:
        """Whether it is installed and says that it reads RAR."""
        if self.executable is None:
            return False
        try:
            result = subprocess.run(
                [self.executable, *self.probe], capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        text = (result.stdout + result.stderr).decode(errors="replace")
        return re.search(self.reads_rar, text) is not None


_SEVEN_ZIP = {
    "probe": ["i"],
    # Among the codecs, not the formats: builds without the codec, such as Homebrew's, still list the format.
    "reads_rar": r"\bRar3\b",
    "extract": ["x", "-y", "-bd", "-bso0", "-o{target}", "{archive}"],
}

# The most capable first. The original `unrar` (unrar-free shares its name but not its makers) and 7-Zip read every RAR
# and check every checksum. libarchive's bsdtar comes last: it refuses solid RAR 4 archives, and does not notice damage
# in stored members.
RAR_TOOLS = (
    RarTool("unrar", [], "Roshal", ["x", "-y", "-o+", "-idq", "-p-", "{archive}", "{target}/"]),
    RarTool("7zz", **_SEVEN_ZIP),
    RarTool("7z", **_SEVEN_ZIP),
    RarTool("unar", ["-help"], "unar", ["-quiet", "-force-overwrite", "-no-directory", "-o", "{target}", "{archive}"]),
    RarTool("bsdtar", ["--version"], "libarchive", ["-x", "-f", "{archive}", "-C", "{target}"]),
)


def find_rar_tools() -> list[RarTool]:
    """The installed programs that read RAR, the most capable first.

    Raises:
        ArchiveError: none is installed; the message names the package to install on each system.
    """
    tools = [tool for tool in RAR_TOOLS if tool.is_able()]
    if not tools:
        installed = [tool.name for tool in RAR_TOOLS if tool.executable]
        seen = f"{', '.join(installed)} installed, but without RAR support" if installed else "none is installed"
        names = ", ".join(tool.name for tool in RAR_TOOLS)
        raise ArchiveError(f"unpacking RAR needs one of {names}: {seen}.\n{RAR_ADVICE}")
    return tools


def unpack_rar(
    archive: str | Path,
    target: str | Path,
    *,
    check: Callable[[Path], None] | None = None,
    num_files: int | None = None,
    progress: bool = True,
) -> str:
    """Unpack a RAR archive (or whatever else the tools read) into `target`, which is emptied first.

    Installed tools are tried in the order of :data:`RAR_TOOLS` until one succeeds.

    Args:
        archive: the file.
        target: directory to fill; what it held before is removed.
        check: looks at the unpacked tree and raises ArchiveError if it is not as it should be. Some tools leave files
            out without saying so.
        num_files: how many files to expect, for the progress bar.
        progress: whether to show a progress bar.

    Returns:
        The name of the tool that did it.

    Raises:
        ArchiveError: no tool is installed, or none could unpack this archive; the message has what each one said.
    """
    archive, target = Path(archive).resolve(), Path(target).resolve()
    failures = []
    for tool in find_rar_tools():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        arguments = [part.format(archive=archive, target=target) for part in tool.extract]
        with tqdm(total=num_files, unit="file", desc=f"unpacking with {tool.name}", disable=not progress) as bar:
            problem = _run([tool.executable, *arguments], target, bar)
        if problem is None and check is not None:
            try:
                check(target)
            except ArchiveError as error:
                problem = str(error)
        if problem is None:
            return tool.name
        logger.warning("%s could not unpack %s: %s", tool.name, archive.name, problem)
        failures.append(f"  {tool.name}: {problem}")
    raise ArchiveError(
        f"{archive} could not be unpacked:\n" + "\n".join(failures) + f"\n{_nature(archive)} {RAR_ADVICE}"
    )


def _run(command: list[str], target: Path, bar: tqdm) -> str | None:
    """Run an unpacking program to its end, showing how many files there are; return what went wrong, or None."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            while True:
                try:
                    code = process.wait(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    _show_files(target, bar)
        finally:
            # Also on an interrupt: no program is left writing behind our back.
            if process.poll() is None:
                process.kill()
                process.wait()
        _show_files(target, bar)
        if code == 0:
            return None
        output.seek(0)
        lines = [line.strip() for line in output.read().decode(errors="replace").splitlines() if line.strip()]
        return f"exit code {code}" + (f", saying {' / '.join(lines[-3:])!r}" if lines else "")


def _show_files(target: Path, bar: tqdm) -> None:
    if not bar.disable:
        bar.n = sum(len(files) for _, _, files in os.walk(target))
        bar.refresh()


def _nature(archive: Path) -> str:
    """What may be the matter with an archive that no tool could read."""
    with archive.open("rb") as file:
        start = file.read(64)
    if not start.startswith(b"Rar!\x1a\x07"):
        return f"It does not begin as a RAR archive does, but with {start[:24]!r}: make sure that it is the right file."
    return "Either the archive is damaged (then delete it and fetch it again), or a more capable tool is needed."
