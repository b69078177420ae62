"""From an empty directory to a checked data set, through every kind of interruption; nothing leaves this machine."""

import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace

import pytest
from local_server import Answer, LocalServer
from rar_writer import LINK, UNRAR, write_rar

from ldvd_lib._kit.files import file_sha256
from ldvd_lib.data import layout, ucf101
from ldvd_lib.data.archives import ArchiveError
from ldvd_lib.data.download import (
    ARCHIVE_SOURCE,
    OFFICIAL,
    SPLITS_SOURCE,
    SUBSET_REVISION,
    Contents,
    DownloadError,
    RemoteFile,
    Transfer,
    download_subset,
    download_ucf101,
    verify,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for unrar is a script")

# A UCF-101 of three classes; the folder of one is spelt otherwise than its clips, as in the original.
FOLDERS = {"Diving": "Diving", "HandstandPushups": "HandStandPushups", "YoYo": "YoYo"}
CLIPS = {
    f"{folder}/v_{name}_g{group:02d}_c{number:02d}.avi": f"{name} {group} {number} ".encode() * 500
    for folder, name in FOLDERS.items()
    for group in (1, 2)
    for number in (1, 2, 3)
}
CONTENTS = Contents(num_clips=len(CLIPS), num_classes=len(FOLDERS), folds=(1, 2))
CLASS_LIST = "".join(f"{label} {name}\r\n" for label, name in enumerate(FOLDERS, start=1))


def split_files() -> dict[str, str]:
    files = {"classInd.txt": CLASS_LIST}
    for fold in (1, 2):
        test = [name for name in CLIPS if f"_g{fold:02d}_" in name]
        train = [f"{name} {list(FOLDERS).index(name.split('/')[0]) + 1}" for name in CLIPS if name not in test]
        files[f"testlist{fold:02d}.txt"] = "\r\n".join(test) + "\r\n"
        files[f"trainlist{fold:02d}.txt"] = "\r\n".join(train) + "\r\n"
    return files


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return buffer.getvalue()


def rar(files: dict[str, bytes], **options) -> bytes:
    with TemporaryDirectory() as directory:
        return write_rar(Path(directory, "a.rar"), files, **options).read_bytes()


RAR = rar({f"UCF-101/{name}": data for name, data in CLIPS.items()})
SPLITS_ZIP = zipped({f"ucfTrainTestlist/{name}": text for name, text in split_files().items()})


@pytest.fixture
def unrar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for unrar, and no other program on PATH."""
    program = tmp_path / "bin" / "unrar"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -IS\n{UNRAR}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with LocalServer().running() as running:
        running.files = {"UCF101.rar": RAR, "splits.zip": SPLITS_ZIP}
        yield running


@pytest.fixture
def download(server: LocalServer, unrar: Path, tmp_path: Path) -> Callable[..., Path]:
    def call(**options) -> Path:
        return download_ucf101(
            tmp_path / "data",
            **{
                "archive_source": RemoteFile(server.url("UCF101.rar"), size=len(RAR)),
                "splits_source": RemoteFile(server.url("splits.zip"), size=len(SPLITS_ZIP)),
                "contents": CONTENTS,
                "transfer": Transfer(attempts=1, backoff=0.0, progress=False),
                **options,
            },
        )

    return call


def asked(server: LocalServer) -> list[str]:
    paths = [path.lstrip("/") for path, _ in server.requests]
    server.requests.clear()
    return paths


def names(directory: Path) -> set[str]:
    """The names in a directory but for locks, which stay."""
    return {path.name for path in directory.iterdir() if path.suffix != ".lock"}


def assert_complete(root: Path) -> None:
    assert {
        path.relative_to(root / "UCF-101").as_posix(): path.read_bytes() for path in (root / "UCF-101").rglob("*.avi")
    } == CLIPS
    lists = {path.name: path.read_bytes().decode() for path in (root / "ucfTrainTestlist").iterdir()}
    assert lists == split_files()
    assert verify(root, CONTENTS).complete
    assert names(root) <= {"UCF-101", "ucfTrainTestlist", "download.json", "UCF101.rar", "splits.zip"}


def test_facts_of_the_official_data_set():
    assert (OFFICIAL.num_clips, OFFICIAL.num_classes, len(OFFICIAL.split_files)) == (13_320, 101, 7)
    assert ARCHIVE_SOURCE.name == "UCF101.rar" and SPLITS_SOURCE.name == "UCF101TrainTestSplits-RecognitionTask.zip"
    for source in (ARCHIVE_SOURCE, SPLITS_SOURCE):
        assert source.url.startswith("https://www.crcv.ucf.edu/")
    assert OFFICIAL.unpacked_size > ARCHIVE_SOURCE.size


# The official data set


def test_everything_from_nothing(download, server: LocalServer):
    root = download()
    assert_complete(root)
    assert asked(server) == ["splits.zip", "UCF101.rar"]
    receipt = json.loads((root / "download.json").read_text())
    assert receipt["archive"]["size"] == len(RAR) and receipt["archive"]["unpacked_with"] == "unrar"
    assert receipt["archive"]["url"] == server.url("UCF101.rar") and len(receipt["splits"]["sha256"]) == 64
    index = ucf101.index(root, subset="all", check=False, strict=True)
    assert len(index.clips) == len(CLIPS)


def test_complete_data_set_returns_at_once(download, server: LocalServer, unrar: Path):
    root = download(keep_archive=False)
    assert not (root / "UCF101.rar").exists() and not (root / "splits.zip").exists()
    server.requests.clear()
    unrar.unlink()
    assert download() == root
    assert asked(server) == []
    assert_complete(root)


def test_interrupted_download_is_continued(download, server: LocalServer):
    server.script = [Answer(), Answer(drop_after=100_000)]
    with pytest.raises(DownloadError, match="Run again to continue"):
        download()
    asked(server)
    assert_complete(download())
    assert server.ranges() == [f"bytes={65536}-"]


@pytest.mark.parametrize("moves", [0, 5, 6, 15, 24])  # of five split files, their directory, 18 clips, theirs
def test_interrupted_while_files_are_put_in_place(
    download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
):
    replace, done = Path.replace, []

    def interrupted(self: Path, target: Path) -> Path:
        if any(part.startswith(".unpacking") for part in self.parts):
            if len(done) == moves:
                raise KeyboardInterrupt
            done.append(self)
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            download()
    assert not verify(tmp_path / "data", CONTENTS).complete
    assert_complete(download())


def test_what_a_killed_run_left_is_cleared_away(download, tmp_path: Path):
    left = tmp_path / "data" / ".unpacking-before" / "archive" / "UCF-101" / "Diving" / "v_Diving_g09_c01.avi"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    (tmp_path / "data" / "UCF-101" / "Diving").mkdir(parents=True)
    (tmp_path / "data" / "UCF-101" / "Diving" / "v_Diving_g01_c01.avi").write_bytes(b"")
    assert_complete(download())


def test_only_what_is_missing_is_fetched(download, server: LocalServer):
    root = download()
    (root / "UCF101.rar").unlink()
    asked(server)
    (root / "ucfTrainTestlist" / "testlist02.txt").unlink()
    assert_complete(download())
    assert asked(server) == [], "the split files are still there as an archive"
    (root / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi").unlink()
    assert_complete(download())
    assert asked(server) == ["UCF101.rar"]


def test_files_fetched_another_way(download, server: LocalServer, tmp_path: Path):
    archive, splits = tmp_path / "mine.rar", tmp_path / "lists"
    archive.write_bytes(RAR)
    splits.mkdir()
    for name, text in split_files().items():
        (splits / name).write_bytes(text.encode())
    assert_complete(download(archive=archive, splits=splits, keep_archive=False))
    assert asked(server) == []
    assert archive.exists() and len(list(splits.iterdir())) == 5
    receipt = json.loads((tmp_path / "data" / "download.json").read_text())
    assert receipt["archive"]["file"] == "mine.rar" and receipt["archive"]["url"] is None


@pytest.mark.parametrize("own", ["archive", "splits"])
def test_own_file_that_is_not_there(download, server: LocalServer, tmp_path: Path, own: str):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*absent; correct the path"):
        download(**{own: tmp_path / "absent"})
    assert asked(server) == []


def test_corrupted_archive_leaves_no_clips(download, server: LocalServer, tmp_path: Path):
    server.files["UCF101.rar"] = RAR[:50_000] + bytes(50_000) + RAR[100_000:]
    with pytest.raises(ArchiveError, match=r"damaged|fetch it again"):
        download()
    assert not (tmp_path / "data" / "UCF-101").exists()
    (tmp_path / "data" / "UCF101.rar").unlink()  # as the message says
    server.files["UCF101.rar"] = RAR
    assert_complete(download())


def test_archive_with_another_hash(download, tmp_path: Path, server: LocalServer):
    (tmp_path / "mine.rar").write_bytes(RAR)
    source = RemoteFile(server.url("UCF101.rar"), sha256="0" * 64)
    for options in ({}, {"archive": tmp_path / "mine.rar"}):
        with pytest.raises(DownloadError, match="SHA-256"):
            download(archive_source=source, **options)
    assert (tmp_path / "mine.rar").exists()
    assert not (tmp_path / "data" / "UCF-101").exists()


@pytest.mark.parametrize("folder", list(FOLDERS))
def test_archive_that_lacks_clips(download, server: LocalServer, tmp_path: Path, folder: str):
    # Of one class, the first clip is empty and the others are not there.
    first, *others = (name for name in CLIPS if name.startswith(folder))
    kept = {f"UCF-101/{name}": b"" if name == first else data for name, data in CLIPS.items() if name not in others}
    server.files["UCF101.rar"] = incomplete = rar(kept)
    with pytest.raises(ArchiveError, match=rf"6 of 18 clips did not come out of it \(v_{FOLDERS[folder]}_g"):
        download(archive_source=RemoteFile(server.url("UCF101.rar"), size=len(incomplete)))
    assert not (tmp_path / "data" / "UCF-101").exists()


def test_links_in_the_archive_are_refused(download, server: LocalServer, tmp_path: Path):
    link = "UCF-101/YoYo/v_YoYo_g01_c01.avi"
    files = {f"UCF-101/{name}": data for name, data in CLIPS.items()} | {link: b"/etc/hostname"}
    server.files["UCF101.rar"] = evil = rar(files, modes={link: LINK})
    with pytest.raises(ArchiveError, match="has a link"):
        download(archive_source=RemoteFile(server.url("UCF101.rar"), size=len(evil)))
    assert not (tmp_path / "data" / "UCF-101").exists()


def test_archive_that_unpacks_to_too_much(download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ldvd_lib.data.download._CLIPS_LIMIT", 1000)
    with pytest.raises(ArchiveError, match="unpack to more than 1,000,"):
        download()
    assert not (tmp_path / "data" / "UCF-101").exists()


def test_limit_follows_from_what_is_expected(download, tmp_path: Path):
    expected = Contents(CONTENTS.num_clips, CONTENTS.num_classes, CONTENTS.folds, unpacked_size=80_000)
    with pytest.raises(ArchiveError, match=r"UCF101\.rar .*unpack to more than 100,000,"):
        download(contents=expected)
    assert names(tmp_path / "data") == {"UCF101.rar", "splits.zip", "ucfTrainTestlist", "download.json"}


def test_several_at_once_fetch_and_unpack_once(download, server: LocalServer):
    server.script = [Answer(stall=0.2), Answer(stall=0.2)]
    with ThreadPoolExecutor(3) as pool:
        roots = [future.result() for future in [pool.submit(download) for _ in range(3)]]
    assert_complete(roots[0])
    assert asked(server) == ["splits.zip", "UCF101.rar"]


def test_an_archive_that_has_changed_since_it_was_first_fetched_is_refused(download, server: LocalServer):
    root = download(keep_archive=False)
    (root / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi").unlink()
    files = {f"UCF-101/{name}": data.replace(b"1", b"2") for name, data in CLIPS.items()}
    server.files["UCF101.rar"] = changed = rar(files)
    assert len(changed) == len(RAR)
    with pytest.raises(DownloadError, match=r"UCF101\.rar is not what it was: .*download\.json has .* 'archive'"):
        download()
    assert not (root / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi").exists()
    receipt = layout.read_receipt(root)
    del receipt["archive"]
    (root / "download.json").write_text(json.dumps(receipt))
    download()
    assert verify(root, CONTENTS).complete


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"archive": 3, "splits": []}', '{"archive": {"sha256": 3}}'])
def test_damaged_receipt_is_told_and_stops_nothing(download, tmp_path: Path, text: str, caplog):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "download.json").write_text(text)
    (tmp_path / "data" / ".download-0123abcd.json").write_text("left by a killed process")
    root = download()
    assert_complete(root)
    assert set(layout.read_receipt(root)) == {"archive", "splits"}
    assert "download.json" in caplog.text or "sha256" in text


def test_nothing_gets_its_name_before_it_is_on_the_disk(download, unsafe_moves: list[Path]):
    assert_complete(download())
    assert unsafe_moves == []


def test_no_program_that_reads_rar_is_told_before_the_download(download, server: LocalServer, unrar: Path):
    unrar.unlink()
    with pytest.raises(ArchiveError, match="apt install"):
        download()
    assert asked(server) == ["splits.zip"]


def test_full_disk_is_told_before_the_download(download, server: LocalServer, monkeypatch: pytest.MonkeyPatch):
    contents = Contents(CONTENTS.num_clips, CONTENTS.num_classes, CONTENTS.folds, unpacked_size=10_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10_000_000))
    with pytest.raises(DownloadError, match="UCF-101 with its archive needs"):
        download(contents=contents)
    assert asked(server) == ["splits.zip"]
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10_000_000 + len(RAR)))
    assert_complete(download(contents=contents))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../classInd.txt": CLASS_LIST}, "leave the target"),
        ({"classInd.txt": CLASS_LIST}, r"has no trainlist01\.txt"),
        ({**split_files(), "classInd.txt": "1 Diving\n"}, "lists 1 classes where 3 are expected"),
        ({**split_files(), "trainlist02.txt": ""}, r"trainlist02\.txt: the file is empty"),
        ({**split_files(), "trainlist02.txt": "# none\n"}, "fold 2 .* lists 9 clips where 18 are expected"),
        ({**split_files(), "trainlist01.txt": "<html>"}, "expected clips named like"),
    ],
)
def test_split_files_that_are_not_the_official_ones(
    download, server: LocalServer, tmp_path: Path, files: dict[str, str], message: str
):
    server.files["splits.zip"] = zipped(files)
    with pytest.raises(ValueError, match=message):
        download(splits_source=RemoteFile(server.url("splits.zip")))
    assert asked(server) == ["splits.zip"], "nothing large may be fetched after that"
    assert not (tmp_path / "data" / "ucfTrainTestlist").exists()
    assert not (tmp_path / "classInd.txt").exists()


def test_own_split_files_are_not_overwritten(download, tmp_path: Path):
    own = tmp_path / "data" / "ucfTrainTestlist" / "trainlist01.txt"
    own.parent.mkdir(parents=True)
    own.write_text("Diving/v_Diving_g01_c01.avi 1\n")
    with pytest.raises(DownloadError, match="lists something else"):
        download()
    assert own.read_text() == "Diving/v_Diving_g01_c01.avi 1\n"
    own.write_text(split_files()["trainlist01.txt"].replace("\r", ""))  # the same but for the ends of its lines
    download()
    assert verify(tmp_path / "data", CONTENTS).complete


# A subset from the hub


class Hub:
    """A stand-in for huggingface_hub that gives one archive, and counts how often."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, archive: Path):
        self.calls: list[dict] = []
        self.archive = archive
        self.knows = lambda sha256: monkeypatch.setattr("ldvd_lib.data.download.SUBSET_SHA256", sha256)
        module = ModuleType("huggingface_hub")
        module.hf_hub_download = self._download
        monkeypatch.setitem(sys.modules, "huggingface_hub", module)

    def _download(self, **arguments) -> str:
        self.calls.append(arguments)
        if not self.archive.exists():
            raise OSError("404 Client Error: Repository Not Found")
        return str(self.archive)

    def fill(self, files: dict[str, bytes]) -> None:
        # The archive that is most used calls itself .tar.gz and is a plain TAR.
        with tarfile.open(self.archive, "w") as file:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                file.addfile(member, io.BytesIO(data))
        self.knows(file_sha256(self.archive))


SUBSET_CONTENTS = Contents(num_clips=18, num_classes=3, folds=(1,))
PARTS = {1: "train", 2: "val", 3: "test"}
SUBSET = {f"UCF101_subset/{PARTS[int(name[-5])]}/{name}": data for name, data in CLIPS.items()}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(monkeypatch, tmp_path / "UCF101_subset.tar.gz")
    hub.fill({**SUBSET, "UCF101_subset/train/YoYo/._v_YoYo_g01_c01.avi": b"junk", "UCF101_subset/README": b"hello"})
    return hub


def test_subset_in_the_layout_of_the_whole(hub: Hub, tmp_path: Path):
    root = download_subset(tmp_path / "data", "someone/something", revision="v1")
    assert hub.calls == [
        {
            "repo_id": "someone/something",
            "filename": "UCF101_subset.tar.gz",
            "repo_type": "dataset",
            "revision": "v1",
        }
    ]
    assert names(root) == {"UCF-101", "ucfTrainTestlist", "download.json"}
    for subset, numbers in {"train": {1}, "test": {2, 3}}.items():
        index = ucf101.index(root, subset=subset, check=False)
        assert {clip.number for clip in index.clips} == numbers and not index.missing and not index.extra
        assert index.class_names == sorted(FOLDERS)
        assert all(CLIPS[f"{clip.path.parent.name}/{clip.path.name}"] == clip.path.read_bytes() for clip in index.clips)
    assert len(ucf101.index(root, subset="all", check=False, strict=True).clips) == 18
    lines = (root / "ucfTrainTestlist" / "trainlist01.txt").read_text().splitlines()
    assert lines[0] == "Diving/v_Diving_g01_c01.avi 1" and lines[-1] == "YoYo/v_YoYo_g02_c01.avi 3"


def test_complete_subset_returns_at_once(hub: Hub, tmp_path: Path):
    root = download_subset(tmp_path / "data")
    assert download_subset(root) == root and len(hub.calls) == 1
    (root / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi").unlink()
    download_subset(root)
    assert len(hub.calls) == 2 and (root / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi").exists()
    download_subset(root, revision="other")
    assert [call["revision"] for call in hub.calls] == [SUBSET_REVISION, SUBSET_REVISION, "other"]


def test_the_default_subset_must_have_the_known_hash(hub: Hub, tmp_path: Path):
    hub.knows("0" * 64)
    with pytest.raises(DownloadError, match=r"UCF101_subset\.tar\.gz: its SHA-256 is .* where 0000.*--revision main"):
        download_subset(tmp_path / "data")
    assert names(tmp_path / "data") == set()
    assert verify(download_subset(tmp_path / "data", revision="main"), SUBSET_CONTENTS).complete


def test_a_subset_that_has_changed_since_it_was_first_fetched_is_refused(hub: Hub, tmp_path: Path):
    root = download_subset(tmp_path / "data", "someone/something")
    before = {path: path.read_bytes() for path in root.rglob("*.*")}
    lost = root / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi"
    lost.unlink()
    hub.fill({name: data + b"changed" for name, data in SUBSET.items()})
    with pytest.raises(DownloadError, match=r"is not what it was: .*download\.json has .* 'subset'"):
        download_subset(root, "someone/something")
    assert {path: path.read_bytes() for path in root.rglob("*.*")} == {
        path: data for path, data in before.items() if path != lost
    }


def test_a_subset_in_a_folder_of_its_repository_is_fetched_once(hub: Hub, tmp_path: Path):
    for _ in range(2):
        download_subset(tmp_path / "data", "someone/something", filename="folder/UCF101_subset.tar.gz")
    assert len(hub.calls) == 1


@pytest.mark.parametrize("facts", [{"num_clips": "18"}, {"num_classes": None}, {"num_clips": [1]}, {"sha256": None}])
def test_an_odd_receipt_of_a_subset_is_no_receipt(hub: Hub, tmp_path: Path, facts: dict):
    root = download_subset(tmp_path / "data")
    receipt = layout.read_receipt(root)
    (root / "download.json").write_text(json.dumps({"subset": receipt["subset"] | facts}))
    assert download_subset(root) == root
    assert verify(root, SUBSET_CONTENTS).complete


def test_subset_and_whole_do_not_mix(hub: Hub, download, tmp_path: Path):
    root = download()
    before = {path: path.read_bytes() for path in root.rglob("*.*")}
    with pytest.raises(DownloadError, match="lists something else"):
        download_subset(root)
    assert {path: path.read_bytes() for path in root.rglob("*.*")} == before
    other = download_subset(tmp_path / "other")
    lists = {path: path.read_bytes() for path in (other / "ucfTrainTestlist").iterdir()}
    with pytest.raises(DownloadError, match="lists something else"):
        download_ucf101(other, splits=root / "ucfTrainTestlist", contents=CONTENTS)
    assert {path: path.read_bytes() for path in (other / "ucfTrainTestlist").iterdir()} == lists


def test_subset_without_named_parts_is_for_training(hub: Hub, tmp_path: Path):
    hub.fill({f"clips/{name}": data for name, data in CLIPS.items()})
    root = download_subset(tmp_path / "data")
    assert len(ucf101.read_split(root / "ucfTrainTestlist", "train")) == 18


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme.txt": b"no clips"}, "holds no clips"),
        ({**SUBSET, "../../evil": b""}, "leave the target"),
        ({**SUBSET, "again/train/YoYo/v_YoYo_g01_c01.avi": b"other"}, "is there twice"),
    ],
)
def test_subset_that_cannot_be_used(hub: Hub, tmp_path: Path, files: dict[str, bytes], message: str):
    hub.fill(files)
    with pytest.raises(ArchiveError, match=message):
        download_subset(tmp_path / "data")
    assert names(tmp_path / "data") == set()


def test_hub_that_refuses(hub: Hub, tmp_path: Path):
    hub.archive.unlink()
    with pytest.raises(DownloadError, match=r"the hub did not give .*Repository Not Found"):
        download_subset(tmp_path / "data")


def test_client_of_the_hub_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DownloadError, match=r'pip install "ldvd-course\[hub\]"'):
        download_subset(tmp_path / "data")
