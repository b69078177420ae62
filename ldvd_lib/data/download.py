"""UCF-101 from its makers' server, or a small subset of it from a hub: fetched, unpacked, checked.

Both leave the layout of :mod:`ldvd_lib.data.layout`. Every step can be interrupted, by Ctrl-C or worse, and continues
from there when called again.

Source: K. Soomro, A. R. Zamir, M. Shah, "UCF101: A Dataset of 101 Human Actions Classes From Videos in The Wild",
CRCV-TR-12-01, 2012; https://www.crcv.ucf.edu/research/data-sets/ucf101/
"""

import logging
import math
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ldvd_lib._kit.configuration import from_dict
from ldvd_lib._kit.files import file_sha256
from ldvd_lib._kit.lock import locked
from ldvd_lib.data import layout
from ldvd_lib.data.archives import ArchiveError, find_rar_tools, unpack_rar, unpack_tar, unpack_zip
from ldvd_lib.data.layout import OFFICIAL, SPLITS, VIDEOS, Contents, Report, verify
from ldvd_lib.data.transfer import DownloadError, Transfer, check_free_space, fetch

__all__ = [
    "ARCHIVE_SOURCE",
    "OFFICIAL",
    "SPLITS_SOURCE",
    "SUBSET_FILE",
    "SUBSET_REPOSITORY",
    "SUBSET_REVISION",
    "ArchiveError",
    "Contents",
    "DownloadError",
    "RemoteFile",
    "Report",
    "Transfer",
    "download_subset",
    "download_ucf101",
    "fetch",
    "verify",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RemoteFile:
    """Where to get a file, and what is known of it: bytes and SHA-256, None where nobody has published them."""

    url: str
    size: int | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        return Path(urlsplit(self.url).path).name


# The makers publish no sizes or hashes. The archive's size is what their server is reported to announce as
# Content-Length; that the content is sound is then known from the checksums inside it and the clips that come out.
# Size and hash of the split files are those that TensorFlow Datasets records for this address in its checksum tables.
ARCHIVE_SOURCE = RemoteFile("https://www.crcv.ucf.edu/data/UCF101/UCF101.rar", size=6_932_971_618)
SPLITS_SOURCE = RemoteFile(
    "https://www.crcv.ucf.edu/data/UCF101/UCF101TrainTestSplits-RecognitionTask.zip",
    size=113_943,
    sha256="5c0d1a53b8ed364a2ac830a73f405e51bece7d98ce1254fd19ed4a36b224bd27",
)
SUBSET_REPOSITORY = "sayakpaul/ucf101-subset"  # 405 clips of 10 classes in 171 MB
SUBSET_FILE = "UCF101_subset.tar.gz"
# The commit that is fetched unless another is asked for. Its maker publishes no hash: this one is what several public
# projects that use the file record for that commit, with a size of 171,386,880 bytes.
SUBSET_REVISION = "b9984b8d2a95e4a1879e1b071e9433858d0bc24a"
SUBSET_SHA256 = "e9fcc76af48d320be88c5265f2e0576ecd615956976f6ce4742fdf2b042b71eb"

_SPLITS_LIMIT = 1 << 24  # the official split files have about 1.5 MB together
_CLIPS_LIMIT = 1 << 33  # UCF-101 has 7.1 GB, and a subset has no reason to be larger
_HELD_OUT = {"val", "valid", "validation", "test"}


def download_ucf101(
    directory: str | Path,
    *,
    archive: str | Path | None = None,
    splits: str | Path | None = None,
    keep_archive: bool = True,
    archive_source: RemoteFile = ARCHIVE_SOURCE,
    splits_source: RemoteFile = SPLITS_SOURCE,
    contents: Contents = OFFICIAL,
    transfer: Transfer | None = None,
) -> Path:
    """Fetch UCF-101 and its split files, unpack them and check that every clip is there.

    What `directory` already has is not fetched again, and a complete data set returns at once. It takes about 14 GB of
    disk, half of that without the archive, and a program that reads RAR.

    Args:
        directory: where to put the data set.
        archive: UCF101.rar if it has been fetched another way; it is read where it is and never deleted.
        splits: UCF101TrainTestSplits-RecognitionTask.zip, or a directory with its text files, likewise.
        keep_archive: whether to keep what was fetched after unpacking it.
        archive_source: address, size and hash of the archive; `archive` must have this hash too.
        splits_source: address, size and hash of the split files.
        contents: what must come out.
        transfer: patience, time limits and certificates; None for the defaults.

    Returns:
        `directory`, which now holds ``UCF-101/`` and ``ucfTrainTestlist/``.

    Raises:
        DownloadError: a file cannot be fetched or is not the expected one, or the disk is too small.
        ArchiveError: no installed program reads RAR, or an archive is damaged or holds something else.
        FileNotFoundError: no file at `archive` or `splits`.
    """
    directory, transfer = Path(directory), transfer or Transfer()
    report = verify(directory, contents)
    if not report.complete:
        for path in (archive, splits):
            if path is not None and not Path(path).exists():
                raise FileNotFoundError(f"there is no file {path}; correct the path, or leave it out to download")
        with _alone(directory):
            report = verify(directory, contents)  # once more: another process may have done it meanwhile
            if report.missing_splits or report.faults:
                _add_splits(directory, splits, keep_archive, splits_source, contents, transfer)
                report = verify(directory, contents)
            if not report.complete:
                _add_clips(directory, archive, keep_archive, archive_source, contents, transfer)
                report = verify(directory, contents)
    return _completed(report)


def download_subset(
    directory: str | Path,
    repository: str = SUBSET_REPOSITORY,
    *,
    filename: str = SUBSET_FILE,
    revision: str | None = None,
    limit: int = _CLIPS_LIMIT,
) -> Path:
    """Fetch a subset of UCF-101 from the Hugging Face hub and arrange it as UCF-101 is.

    The archive's own parts become fold 1: clips under ``val`` or ``test`` were held out and go to testlist01.txt, all
    others to trainlist01.txt. These are not the official lists.

    The default subset is fetched at a fixed commit and must have the SHA-256 that is known for it. Of any other, and of
    another revision, nothing is known beforehand: ``download.json`` keeps the SHA-256 of what came first, and a file
    that has changed since is refused.

    Args:
        directory: where to put the data set; not one that has UCF-101 with other lists.
        repository: id of a data set repository on the hub.
        filename: TAR archive in it, with clips at ``.../<part>/<Class>/v_<Class>_gNN_cNN.avi``.
        revision: branch, tag or commit of the repository; None for the commit that is known of the default subset, and
            for the main branch of any other repository.
        limit: most bytes that the archive may unpack to.

    Returns:
        `directory`, which now holds ``UCF-101/`` and ``ucfTrainTestlist/``.

    Raises:
        DownloadError: huggingface_hub is not installed, the hub does not give the file or gives another one than is
            known of or than it gave before, the disk is too small, or `directory` has other lists.
        ArchiveError: the archive is damaged, not to be trusted, or holds no clips.
    """
    directory, sha256 = Path(directory), None
    if (repository, filename) == (SUBSET_REPOSITORY, SUBSET_FILE) and revision in (None, SUBSET_REVISION):
        revision, sha256 = SUBSET_REVISION, SUBSET_SHA256
    request = {"repository": repository, "file": filename, "revision": revision}
    report = _present_subset(directory, request)
    if report is None:
        with _alone(directory):
            report = _present_subset(directory, request) or _add_subset(directory, request, sha256, limit)
    return _completed(report)


def _present_subset(directory: Path, request: dict[str, str | None]) -> Report | None:
    """The report on a subset that is there already, whole and as requested."""
    receipt = layout.read_receipt(directory).get("subset", {})
    if {key: receipt.get(key) for key in request} != request:
        return None
    numbers = {"num_clips": receipt.get("num_clips"), "num_classes": receipt.get("num_classes")}
    try:
        contents = from_dict(Contents, {**numbers, "folds": [1]}, where=str(directory / layout.RECEIPT))
    except ValueError as error:
        logger.warning("%s: the subset is looked at again", error)
        return None
    report = verify(directory, contents)
    return report if report.complete else None


def _add_subset(directory: Path, request: dict[str, str | None], sha256: str | None, limit: int) -> Report:
    """Fetch a subset, put it in its place and report on it."""
    archive = _from_hub(request)
    facts = {**_provenance(archive, None), **request}  # the file's name in the repository, with its folder
    if sha256 is not None and facts["sha256"] != sha256:
        raise DownloadError(
            f"{archive}: its SHA-256 is {facts['sha256']} where {sha256} was expected of commit "
            f"{request['revision']} of {request['repository']}. Delete it and run again; if that does not help, take "
            'what the repository has now, unverified: --revision main, or revision="main"'
        )
    _refuse_change(directory, "subset", facts, request)
    with layout.workspace(directory) as space:
        tree = unpack_tar(archive, space / "archive", limit=limit)
        clips = layout.find_clips(tree)
        if not clips:
            raise ArchiveError(f"{archive} holds no clips named like v_<Class>_gNN_cNN.avi")
        splits = _write_splits(space / SPLITS, clips, tree)
        layout.refuse_other_splits(splits, directory / SPLITS)
        contents = Contents(len(clips), len({clip.parent.name for clip in clips.values()}), folds=(1,))
        numbers = {"num_clips": contents.num_clips, "num_classes": contents.num_classes}
        layout.write_receipt(directory, "subset", {**facts, **numbers})
        layout.install(splits, directory / SPLITS, space / "ready")
        layout.install(clips, directory / VIDEOS, space / "ready")
    return verify(directory, contents)


def _alone(directory: Path) -> AbstractContextManager[None]:
    """One process at a time adds to a data set; others wait for it, and see then what is left to do."""
    return locked(directory / ".download.lock", busy=f"{directory} is being downloaded already", patience=math.inf)


def _refuse_change(directory: Path, entry: str, facts: dict[str, Any], same: dict[str, str | None]) -> None:
    """Raise DownloadError if the receipt knows what is the `same`, by these keys, under another SHA-256."""
    before = layout.read_receipt(directory).get(entry, {})
    if {key: before.get(key) for key in same} == same and before.get("sha256", facts["sha256"]) != facts["sha256"]:
        raise DownloadError(
            f"{facts['file']} is not what it was: its SHA-256 is {facts['sha256']}, and {directory / layout.RECEIPT} "
            f"has {before['sha256']} of {before.get('date')}. Choose another directory for the new one, or take the "
            f"entry {entry!r} out of that file if the change is wanted."
        )


def _completed(report: Report) -> Path:
    """The directory of a complete data set; an error that tells what is missing if it is not."""
    if not report.complete:
        raise DownloadError(f"{report.summary()}\nMove {report.directory} away or choose another, and run again.")
    logger.info(report.summary())
    return report.directory


def _add_splits(
    directory: Path,
    own: str | Path | None,
    keep: bool,
    source: RemoteFile,
    contents: Contents,
    transfer: Transfer,
) -> None:
    """Put the split files in their place, from the user's `own` or from `source`, if they list what they should."""
    path = Path(own) if own is not None else _fetch(source, directory, transfer)
    with layout.workspace(directory) as space:
        tree = path if path.is_dir() else unpack_zip(path, space / "archive", limit=_SPLITS_LIMIT)
        chosen = space / SPLITS
        chosen.mkdir()
        for name in contents.split_files:
            split_file = next(tree.rglob(name), None)
            if split_file is None:
                raise ArchiveError(f"{path} has no {name}; make sure that it is {source.name}")
            shutil.copyfile(split_file, chosen / name)
        layout.check_splits(chosen, contents)
        files = {name: chosen / name for name in contents.split_files}
        layout.refuse_other_splits(files, directory / SPLITS)
        if path.is_file():
            layout.write_receipt(directory, "splits", _provenance(path, None if own else source))
        layout.install(files, directory / SPLITS, space / "ready")
    if own is None and not keep:
        path.unlink()


def _add_clips(
    directory: Path,
    own: str | Path | None,
    keep: bool,
    source: RemoteFile,
    contents: Contents,
    transfer: Transfer,
) -> None:
    """Put the clips in their place, from the user's `own` archive or from `source`, if it has all that are listed."""
    # Whether there is a program to unpack with, and space, is known before hours of downloading and not after.
    find_rar_tools()
    needed = contents.unpacked_size
    if own is None and source.size is not None:
        fetched = (directory / source.name, directory / f"{source.name}.part")
        needed += max(0, source.size - sum(path.stat().st_size for path in fetched if path.exists()))
    check_free_space(directory, needed, "UCF-101 with its archive" if own is None else "UCF-101")

    path = Path(own) if own is not None else _fetch(source, directory, transfer)
    provenance = _provenance(path, None if own else source, progress=transfer.progress)
    if source.sha256 is not None and provenance["sha256"] != source.sha256.lower():
        raise DownloadError(f"the SHA-256 of {path} is {provenance['sha256']} where {source.sha256} was expected")
    if own is None:
        _refuse_change(directory, "archive", provenance, {"url": source.url})
    listed = layout.listed_clips(directory / SPLITS)
    with layout.workspace(directory) as space:
        limit = contents.unpacked_size * 5 // 4 or _CLIPS_LIMIT  # what is expected is known to about 10 %
        tool = unpack_rar(path, space / "archive", limit=limit, progress=transfer.progress)
        clips = layout.find_clips(space / "archive")
        whole = {clip.stem.lower() for clip in clips.values() if clip.stat().st_size}
        if missing := [name for name in listed if name.lower() not in whole]:
            names = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
            raise ArchiveError(
                f"{path} is incomplete: {len(missing):,} of {len(listed):,} clips did not come out of it ({names})"
            )
        layout.write_receipt(directory, "archive", {**provenance, "unpacked_with": tool})
        layout.install(clips, directory / VIDEOS, space / "ready")
    if own is None and not keep:
        path.unlink()


def _fetch(source: RemoteFile, directory: Path, transfer: Transfer) -> Path:
    return fetch(source.url, directory / source.name, size=source.size, sha256=source.sha256, transfer=transfer)


def _from_hub(request: dict[str, str | None]) -> Path:
    repository, filename, revision = request["repository"], request["file"], request["revision"]
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise DownloadError(
            'a subset comes through the hub\'s own client, which is not installed: pip install "ldvd-course[hub]"'
        ) from error
    try:
        return Path(hf_hub_download(repo_id=repository, filename=filename, repo_type="dataset", revision=revision))
    except Exception as error:  # the client's errors have no common base that all of its versions know
        raise DownloadError(
            f"the hub did not give {filename} of the data set {repository}: {error}\n"
            "Look at the repository and its files in a browser; a private one needs `hf auth login` first."
        ) from error


def _write_splits(splits: Path, clips: dict[str, Path], tree: Path) -> dict[str, Path]:
    """Write class list and fold 1 for the clips of a subset, in the format of the official files."""
    class_names = sorted({path.parent.name for path in clips.values()})
    lines: dict[str, list[str]] = {"classInd": [], "trainlist01": [], "testlist01": []}
    for label, class_name in enumerate(class_names, start=1):
        lines["classInd"].append(f"{label} {class_name}")
    for name, path in clips.items():
        if _HELD_OUT & {part.lower() for part in path.relative_to(tree).parts}:
            lines["testlist01"].append(name)
        else:
            lines["trainlist01"].append(f"{name} {class_names.index(path.parent.name) + 1}")
    splits.mkdir()
    for stem, listed in lines.items():
        # An empty file would be taken for one that has lost its content.
        (splits / f"{stem}.txt").write_text("".join(f"{line}\n" for line in listed) or "# none\n", encoding="utf-8")
    return {path.name: path for path in splits.iterdir()}


def _provenance(path: Path, source: RemoteFile | None, *, progress: bool = False) -> dict[str, Any]:
    """What the receipt keeps of a file, so that two people can tell whether they have the same one."""
    return {
        "file": path.name,
        "url": source.url if source else None,
        "size": path.stat().st_size,
        "sha256": file_sha256(path, progress=progress),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
