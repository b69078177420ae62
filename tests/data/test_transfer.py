"""Downloads end with the right bytes under the right name, or with an error that says what to do."""

import hashlib
import itertools
import json
import random
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import urllib3
from local_server import Answer, LocalServer

from ldvd_lib._kit.files import file_sha256
from ldvd_lib.data import _part, transfer
from ldvd_lib.data.transfer import DownloadError, Transfer, check_free_space, fetch

CONTENT = random.Random(0).randbytes(500_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
IMPATIENT = Transfer(attempts=4, backoff=0.0, connect_timeout=5, read_timeout=5, progress=False)
DROP = Answer(drop_after=150_000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with LocalServer().running() as running:
        running.files["file.bin"] = CONTENT
        yield running


def get(server: LocalServer, path: Path, patience: Transfer = IMPATIENT, **expected) -> Path:
    return fetch(server.url("file.bin"), path, transfer=patience, **expected)


def begin(server: LocalServer, path: Path, num_bytes: int = 150_000) -> Path:
    """Leave an interrupted download of `num_bytes` (or a little less) behind; return the unfinished file."""
    server.script = [Answer(drop_after=num_bytes)]
    with pytest.raises(DownloadError, match="Run again to continue"):
        get(server, path, replace(IMPATIENT, attempts=1))
    server.requests.clear()
    part = path.with_name(path.name + ".part")
    assert 0 < part.stat().st_size <= num_bytes
    assert not path.exists()
    return part


def names(directory: Path) -> list[str]:
    """The files in a directory but for locks, which stay."""
    return sorted(path.name for path in directory.iterdir() if path.suffix != ".lock")


def test_whole_file(server: LocalServer, tmp_path: Path):
    path = get(server, tmp_path / "deep" / "file.bin", size=len(CONTENT), sha256=SHA256.upper())
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == [path.name]
    assert server.requests[0][1]["Accept-Encoding"] == "identity"


def test_finished_file_is_not_asked_for_again_and_nothing_is_written(server: LocalServer, tmp_path: Path):
    path = tmp_path / "file.bin"
    path.write_bytes(CONTENT)
    assert get(server, path, size=len(CONTENT), sha256=SHA256) == path
    assert server.requests == []
    assert list(tmp_path.iterdir()) == [path], "not even a lock: the place may be read-only"


@pytest.mark.parametrize("announced", [True, False])
def test_those_who_want_the_same_file_at_once_all_get_it_and_it_is_sent_once(
    server: LocalServer, tmp_path: Path, announced: bool
):
    headers = {} if announced else {"Content-Length": None}
    server.otherwise = Answer(stall=0.2, headers=headers)
    with ThreadPoolExecutor(6) as pool:
        paths = list(pool.map(lambda _: get(server, tmp_path / "file.bin"), range(6)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert len(server.requests) == 1


def test_who_waits_tries_for_himself_where_the_first_fails(server: LocalServer, tmp_path: Path):
    server.script = [Answer(status=404, stall=0.2)]

    def attempt(_: int) -> bytes | None:
        try:
            return get(server, tmp_path / "file.bin").read_bytes()
        except DownloadError:
            return None

    with ThreadPoolExecutor(3) as pool:
        contents = list(pool.map(attempt, range(3)))
    assert (contents.count(None), contents.count(CONTENT)) == (1, 2)
    assert len(server.requests) == 2


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_is_no_file_or_empty_is_not_taken_for_it(server: LocalServer, tmp_path: Path, make):
    make(tmp_path / "file.bin")
    with pytest.raises(DownloadError, match=r"file\.bin is already there, but it is (empty|no file)"):
        get(server, tmp_path / "file.bin")


def test_empty_answer_is_no_file(server: LocalServer, tmp_path: Path):
    server.files["file.bin"] = b""
    with pytest.raises(DownloadError, match="it is empty"):
        get(server, tmp_path / "file.bin")
    assert names(tmp_path) == []


@pytest.mark.parametrize("expected", [{"size": 7}, {"sha256": "0" * 64}])
def test_other_file_in_the_way_is_kept_and_named(server: LocalServer, tmp_path: Path, expected: dict):
    path = tmp_path / "file.bin"
    path.write_bytes(b"mine")
    with pytest.raises(DownloadError, match=r"already there, but .* rename it to file\.bin\.part"):
        get(server, path, **expected)
    assert path.read_bytes() == b"mine"
    assert server.requests == []


def test_dropped_connections_are_continued(server: LocalServer, tmp_path: Path):
    server.script = [DROP, DROP, DROP]
    assert get(server, tmp_path / "file.bin", sha256=SHA256).read_bytes() == CONTENT
    first, *rest = server.ranges()
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in rest]
    assert first is None
    assert starts == sorted(set(starts)) and len(starts) == 3
    assert all(headers["If-Range"].startswith('"') for _, headers in server.requests[1:])


def test_progress_restores_patience(server: LocalServer, tmp_path: Path):
    # Seven drops, but each comes after new bytes: two attempts in a row are patience enough.
    server.otherwise = Answer(drop_after=70_000)
    path = get(server, tmp_path / "file.bin", replace(IMPATIENT, attempts=2), size=len(CONTENT))
    assert path.read_bytes() == CONTENT


def test_server_that_ignores_ranges_starts_again(server: LocalServer, tmp_path: Path):
    server.script = [DROP, Answer(ignore_range=True, drop_after=300_000), Answer(ignore_range=True)]
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT


def test_no_progress_is_not_tried_for_ever(server: LocalServer, tmp_path: Path):
    server.otherwise = replace(DROP, ignore_range=True)
    with pytest.raises(DownloadError, match="after 4 attempts without progress"):
        get(server, tmp_path / "file.bin")
    assert len(server.requests) == 4
    assert not (tmp_path / "file.bin").exists()


def test_another_run_continues(server: LocalServer, tmp_path: Path):
    length = begin(server, tmp_path / "file.bin").stat().st_size
    assert get(server, tmp_path / "file.bin", sha256=SHA256).read_bytes() == CONTENT
    assert server.ranges() == [f"bytes={length}-"]


def test_interrupted_run_is_continued(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    body = transfer._body

    def interrupted(response):
        yield from itertools.islice(body(response), 3)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(transfer, "_body", interrupted)
        get(server, tmp_path / "file.bin")
    length = (tmp_path / "file.bin.part").stat().st_size
    assert length == 3 * 65536
    assert get(server, tmp_path / "file.bin", sha256=SHA256).read_bytes() == CONTENT
    assert server.ranges() == [None, f"bytes={length}-"]


def test_only_what_came_to_the_disk_is_continued(server: LocalServer, tmp_path: Path):
    # After a power failure a file may have its new length, but zeros where its last bytes should be.
    part = begin(server, tmp_path / "file.bin")
    length = part.stat().st_size
    part.write_bytes(part.read_bytes() + bytes(10_000))
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges() == [f"bytes={length}-"]


def test_notes_claim_only_what_is_on_the_disk(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lengths: list[int] = []
    to_disk = _part.to_disk

    def recording(path: Path) -> None:
        to_disk(path)
        lengths.append(Path(path).stat().st_size)

    monkeypatch.setattr(_part, "to_disk", recording)
    monkeypatch.setattr(transfer, "_SECONDS_BETWEEN_NOTES", -1.0)
    part = begin(server, tmp_path / "file.bin")
    assert len(set(lengths)) >= 3, "a long download is brought to the disk again and again, not only at its end"
    notes = json.loads(part.with_name("file.bin.part.json").read_text())
    assert notes["safe_length"] == lengths[-1] == part.stat().st_size


def test_nothing_gets_its_name_before_it_is_on_the_disk(server: LocalServer, tmp_path: Path, unsafe_moves: list[Path]):
    begin(server, tmp_path / "file.bin")
    get(server, tmp_path / "file.bin", sha256=SHA256)
    (tmp_path / "other.bin.part").write_bytes(CONTENT)  # put there by the user, whole
    get(server, tmp_path / "other.bin", size=len(CONTENT))
    assert unsafe_moves == []


def test_killed_process_is_continued(server: LocalServer, tmp_path: Path):
    server.script = [Answer(drop_after=300_000), *[Answer(stall=30.0)] * 5]
    code = (
        "from ldvd_lib.data.transfer import Transfer, fetch; "
        f"fetch({server.url('file.bin')!r}, 'file.bin', transfer=Transfer(backoff=0))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while len(server.requests) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        process.kill()
        assert process.wait() == -signal.SIGKILL
    server.script.clear()
    assert 0 < (tmp_path / "file.bin.part").stat().st_size <= 300_000
    assert get(server, tmp_path / "file.bin", sha256=SHA256).read_bytes() == CONTENT
    assert server.ranges()[-1] is not None


@pytest.mark.parametrize(
    "damage",
    [
        lambda notes: "",
        lambda notes: "[]",
        lambda notes: "[" * 100_000,
        lambda notes: json.dumps(notes)[:-5],
        *(
            lambda notes, change=change: json.dumps(notes | change)
            for change in (
                {"safe_length": "many"},
                {"safe_length": -1},
                {"safe_length": None},
                {"total": "500000"},
                {"total": -3},
                {"validator": 5},
                {"validator": "a\nb"},
                {"validator": "caf\u00e9 \u20ac"},
                {"url": None},
                {"more": 1},
            )
        ),
    ],
)
def test_damaged_notes_begin_anew(server: LocalServer, tmp_path: Path, damage, caplog: pytest.LogCaptureFixture):
    part = begin(server, tmp_path / "file.bin")
    part.write_bytes(b"of another version" * 1000)
    notes = part.with_name("file.bin.part.json")
    notes.write_text(damage(json.loads(notes.read_text())))
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges() == [None]
    assert "file.bin.part.json" in caplog.text and "begins anew" in caplog.text


def test_temporary_files_of_a_killed_process_are_removed(server: LocalServer, tmp_path: Path):
    begin(server, tmp_path / "file.bin")
    (tmp_path / ".file.bin.part-0123abcd.json").write_text("{")
    (tmp_path / ".other.bin.part-0123abcd.json").write_text("{")
    get(server, tmp_path / "file.bin")
    assert names(tmp_path) == [".other.bin.part-0123abcd.json", "file.bin"]


def test_part_that_the_user_put_there_is_continued(server: LocalServer, tmp_path: Path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    assert get(server, tmp_path / "file.bin", size=len(CONTENT), sha256=SHA256).read_bytes() == CONTENT
    assert server.ranges() == ["bytes=1000-"]


def test_part_of_another_address_is_not_continued(server: LocalServer, tmp_path: Path):
    server.files["other.bin"] = bytes(len(CONTENT))
    begin(server, tmp_path / "file.bin")
    path = fetch(server.url("other.bin"), tmp_path / "file.bin", transfer=IMPATIENT)
    assert path.read_bytes() == bytes(len(CONTENT))
    assert server.ranges() == [None]


@pytest.mark.parametrize("ignore_if_range", [False, True])
@pytest.mark.parametrize("new_length", [400_000, 500_000, 600_000])
def test_file_that_changed_meanwhile_is_not_mixed(
    server: LocalServer, tmp_path: Path, new_length: int, ignore_if_range: bool
):
    begin(server, tmp_path / "file.bin")
    server.files["file.bin"] = new = random.Random(1).randbytes(new_length)
    server.script = [Answer(ignore_if_range=ignore_if_range)]
    assert get(server, tmp_path / "file.bin").read_bytes() == new


def test_file_that_shrank_below_what_is_here(server: LocalServer, tmp_path: Path):
    begin(server, tmp_path / "file.bin", 300_000)
    server.files["file.bin"] = new = CONTENT[:1000]
    server.script = [Answer(ignore_if_range=True)]
    assert get(server, tmp_path / "file.bin").read_bytes() == new


def test_change_that_only_the_length_shows(server: LocalServer, tmp_path: Path):
    server.otherwise = Answer(headers={"ETag": None})
    server.script = [Answer(headers={"ETag": None}, drop_after=150_000)]
    with pytest.raises(DownloadError):
        get(server, tmp_path / "file.bin", replace(IMPATIENT, attempts=1))
    server.files["file.bin"] = new = random.Random(1).randbytes(len(CONTENT) + 1)
    assert get(server, tmp_path / "file.bin").read_bytes() == new


@pytest.mark.parametrize("start_at", [0, 1000, 200_000])
def test_range_that_was_not_asked_for_is_not_appended(server: LocalServer, tmp_path: Path, start_at: int):
    begin(server, tmp_path / "file.bin")
    server.script = [Answer(start_at=start_at)]
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT


def test_change_that_only_the_hash_shows(server: LocalServer, tmp_path: Path):
    # No validator, the same length: the halves do not match, and the hash says so.
    server.otherwise = Answer(headers={"ETag": None})
    server.script = [Answer(headers={"ETag": None}, drop_after=150_000)]
    with pytest.raises(DownloadError):
        get(server, tmp_path / "file.bin", replace(IMPATIENT, attempts=1))
    server.files["file.bin"] = new = random.Random(1).randbytes(len(CONTENT))
    wanted = hashlib.sha256(new).hexdigest()
    with pytest.raises(DownloadError, match=r"damaged or is not the expected one.*It has been deleted"):
        get(server, tmp_path / "file.bin", sha256=wanted)
    assert names(tmp_path) == []
    assert get(server, tmp_path / "file.bin", sha256=wanted).read_bytes() == new


def test_whole_part_needs_only_its_name(server: LocalServer, tmp_path: Path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    assert get(server, tmp_path / "file.bin", size=len(CONTENT)).read_bytes() == CONTENT
    assert server.requests == []


def test_whole_part_of_unknown_size_is_confirmed_by_416(server: LocalServer, tmp_path: Path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_part_beyond_the_end_starts_again(server: LocalServer, tmp_path: Path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT + b"!")
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.ranges() == ["bytes=500001-", None]


def test_part_longer_than_the_file_starts_again(server: LocalServer, tmp_path: Path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT + b"!")
    assert get(server, tmp_path / "file.bin", size=len(CONTENT)).read_bytes() == CONTENT
    assert server.ranges() == [None]


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_wrong_size_is_refused_at_once_and_costs_nothing(server: LocalServer, tmp_path: Path, size: int):
    part = begin(server, tmp_path / "file.bin")
    before = part.read_bytes()
    for answer in (Answer(), Answer(ignore_range=True)):
        server.script = [answer]
        with pytest.raises(DownloadError, match=rf"offers 500,000 bytes where {size:,} were expected"):
            get(server, tmp_path / "file.bin", size=size)
    assert len(server.requests) == 2
    assert part.read_bytes() == before


def test_error_page_sent_as_success_costs_nothing(server: LocalServer, tmp_path: Path):
    before = begin(server, tmp_path / "file.bin").read_bytes()
    server.files["file.bin"] = b"<html>Please log in to this network</html>"
    with pytest.raises(DownloadError, match="error page"):
        get(server, tmp_path / "file.bin", size=len(CONTENT))
    assert (tmp_path / "file.bin.part").read_bytes() == before


def test_announced_length_larger_than_what_comes(server: LocalServer, tmp_path: Path):
    server.otherwise = Answer(ignore_range=True, headers={"Content-Length": str(2 * len(CONTENT))})
    with pytest.raises(DownloadError, match="gave up"):
        get(server, tmp_path / "file.bin")
    assert not (tmp_path / "file.bin").exists()


def test_announced_length_smaller_than_what_comes(server: LocalServer, tmp_path: Path):
    server.otherwise = Answer(ignore_range=True, headers={"Content-Length": "1000"})
    with pytest.raises(DownloadError, match=r"offers 1,000 bytes"):
        get(server, tmp_path / "file.bin", size=len(CONTENT))
    with pytest.raises(DownloadError, match="SHA-256"):
        get(server, tmp_path / "file.bin", sha256=SHA256)
    assert names(tmp_path) == []


def test_no_announced_length(server: LocalServer, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    silent = server.otherwise = Answer(headers={"Content-Length": None})
    assert get(server, tmp_path / "a.bin").read_bytes() == CONTENT
    assert "a.bin: the server does not say how long the file is" in caplog.text
    with pytest.raises(DownloadError, match=r"sends more than the 400,000 bytes"):
        get(server, tmp_path / "b.bin", size=400_000)
    server.script = [replace(silent, drop_after=150_000)]
    assert get(server, tmp_path / "c.bin", size=len(CONTENT)).read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin", "c.bin"]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 418])
def test_refusal_is_final(server: LocalServer, tmp_path: Path, status: int):
    server.otherwise = Answer(status=status)
    with pytest.raises(DownloadError, match=rf"answered {status} .*Look at the address in a browser"):
        get(server, tmp_path / "file.bin")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_trouble_is_waited_out(server: LocalServer, tmp_path: Path, status: int):
    server.script = [Answer(status=status), DROP, Answer(status=status)]
    assert get(server, tmp_path / "file.bin", size=len(CONTENT)).read_bytes() == CONTENT
    assert len(server.requests) == 4


def test_lasting_trouble_is_told(server: LocalServer, tmp_path: Path):
    server.otherwise = Answer(status=503)
    with pytest.raises(DownloadError, match="503 Service Unavailable"):
        get(server, tmp_path / "file.bin")
    assert len(server.requests) == 4


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which take no time."""
    waited: list[float] = []
    monkeypatch.setattr(urllib3.util.retry, "time", SimpleNamespace(sleep=waited.append, time=time.time))
    return waited


def test_waits_double_up_to_a_limit_and_leave_the_random_state_alone(
    server: LocalServer, tmp_path: Path, waits: list[float]
):
    server.otherwise = Answer(status=500)
    state = random.getstate()
    with pytest.raises(DownloadError):
        get(server, tmp_path / "file.bin", replace(IMPATIENT, attempts=7, backoff=1.0, longest_wait=10.0))
    assert random.getstate() == state
    for wait, whole in zip(waits, [1, 2, 4, 8, 10], strict=True):  # the first retry does not wait
        assert whole / 2 <= wait <= whole
    assert len(set(waits)) == len(waits), "waits must be jittered"


def test_retry_after_is_honoured_within_limits(server: LocalServer, tmp_path: Path, waits: list[float]):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server.script = [Answer(status=503, headers={"Retry-After": value}) for value in ("7", date, "86400", "soon")]
    get(server, tmp_path / "file.bin", replace(IMPATIENT, attempts=9, longest_wait=60.0))
    assert waits[0] == 7.0
    assert waits[1] == pytest.approx(40, abs=3)
    assert waits[2:] == [60.0]


def test_silence_counts_as_a_drop(server: LocalServer, tmp_path: Path):
    server.script = [Answer(stall=1.0)]
    path = get(server, tmp_path / "file.bin", replace(IMPATIENT, read_timeout=0.2))
    assert path.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_any_mixture_of_faults_ends_with_the_right_bytes(server: LocalServer, tmp_path: Path):
    for seed in range(8):
        chance = random.Random(seed)
        server.script = [
            Answer(
                status=chance.choice([None, None, None, 500]),
                drop_after=chance.choice([None, chance.randrange(400_000)]),
                ignore_range=chance.random() < 0.3,
                headers=chance.choice([{}, {}, {"Content-Length": None}]),
            )
            for _ in range(6)
        ]
        path = get(server, tmp_path / f"{seed}.bin", replace(IMPATIENT, attempts=7), size=len(CONTENT))
        assert path.read_bytes() == CONTENT, f"seed {seed}"


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with LocalServer().running() as gone:
        url = gone.url("file.bin")
    with pytest.raises(DownloadError, match="no connection"):
        fetch(url, tmp_path / "file.bin", transfer=replace(IMPATIENT, attempts=2))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "nonsense", "http://"])
def test_address_that_is_none(tmp_path: Path, url: str):
    with pytest.raises(DownloadError, match="Check the address"):
        fetch(url, tmp_path / "file.bin", transfer=IMPATIENT)


def test_full_disk_is_noticed_before_writing(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begin(server, tmp_path / "file.bin")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=300_000))
    with pytest.raises(DownloadError, match=r"the rest of file\.bin needs .* choose a directory on a larger disk"):
        get(server, tmp_path / "file.bin")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=400_000))
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT  # only the rest must fit


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are Unix's")
def test_disk_that_fills_up_is_told_and_the_download_goes_on_later(server: LocalServer, tmp_path: Path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(DownloadError, match=r"file\.bin cannot be written: .*run again: it continues"):
            get(server, tmp_path / "file.bin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "file.bin").exists()
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT


def test_free_space_of_a_directory_still_to_be_made(tmp_path: Path):
    check_free_space(tmp_path / "not" / "yet", 1, "this")
    with pytest.raises(DownloadError, match="this needs"):
        check_free_space(tmp_path / "not" / "yet", 1 << 80, "this")


def test_unwritable_place(server: LocalServer, tmp_path: Path):
    begin(server, tmp_path / "file.bin")
    notes = json.loads((tmp_path / "file.bin.part.json").read_text())
    assert notes["url"] == server.url("file.bin") and notes["total"] == len(CONTENT)
    (tmp_path / "taken").write_text("")
    with pytest.raises(OSError, match="taken"):
        get(server, tmp_path / "taken" / "file.bin")


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"backoff": -1.0}, {"longest_wait": -1.0}, {"read_timeout": 0.0}, {"connect_timeout": 0}]
)
def test_transfer_is_validated(wrong: dict):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Transfer(**wrong)


def test_bad_arguments(tmp_path: Path):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        fetch("http://127.0.0.1", tmp_path / "file.bin", sha256="abc")
    with pytest.raises(FileNotFoundError, match="no certificate bundle"):
        Transfer(ca_bundle=tmp_path / "absent.pem")


def test_file_sha256(tmp_path: Path):
    (tmp_path / "file.bin").write_bytes(CONTENT)
    assert file_sha256(tmp_path / "file.bin") == SHA256


# Certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a root certificate, an intermediate one that it signed, and a server's signed by the latter."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make certificates")
    directory = tmp_path_factory.mktemp("authority")
    authority = "basicConstraints=critical,CA:TRUE"
    for name, issuer, extension in (
        ("root", None, authority),
        ("intermediate", "root", authority),
        ("server", "intermediate", "subjectAltName=IP:127.0.0.1"),
    ):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
        subject = ["-subj", f"/CN={name}", "-days", "2", "-addext", extension]
        signed_by = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"] if issuer else []
        command = ["openssl", "req", "-x509", *key, *subject, *signed_by, "-out", f"{name}.pem"]
        subprocess.run(command, cwd=directory, check=True, capture_output=True)
    return directory


@pytest.fixture
def incomplete_chain(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """An HTTPS server that leaves the intermediate certificate out, as that of UCF-101 has been seen to."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    with LocalServer(context).running() as running:
        running.files["file.bin"] = CONTENT
        yield running


def test_incomplete_chain_is_an_error_with_advice(
    incomplete_chain: LocalServer, authority: Path, tmp_path: Path, waits: list[float]
):
    for bundle in (None, authority / "root.pem"):
        with pytest.raises(DownloadError, match=r"(?s)certifi.*--ca-bundle PATH.*--archive PATH.*stays on"):
            get(incomplete_chain, tmp_path / "file.bin", replace(IMPATIENT, ca_bundle=bundle, backoff=1.0))
    assert incomplete_chain.requests == []
    assert waits == [], "the next attempt would meet the same certificate"


def test_bundle_with_the_missing_certificate_helps(
    incomplete_chain: LocalServer, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority / "root.pem"))  # what is given must win over it
    bundle = tmp_path / "bundle.pem"
    bundle.write_text((authority / "root.pem").read_text() + (authority / "intermediate.pem").read_text())
    path = get(incomplete_chain, tmp_path / "file.bin", replace(IMPATIENT, ca_bundle=bundle), sha256=SHA256)
    assert path.read_bytes() == CONTENT


def test_redirect_away_from_encryption_is_refused(
    incomplete_chain: LocalServer, server: LocalServer, authority: Path, tmp_path: Path
):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text((authority / "root.pem").read_text() + (authority / "intermediate.pem").read_text())
    elsewhere = {"Location": server.url("file.bin")}
    incomplete_chain.script = [Answer(status=302, headers=elsewhere)]
    with pytest.raises(DownloadError, match="not encrypted"):
        get(incomplete_chain, tmp_path / "file.bin", replace(IMPATIENT, ca_bundle=bundle))
    incomplete_chain.script = [Answer(status=302, headers=elsewhere)]
    server.script = [Answer(status=302, headers={"Location": incomplete_chain.url("file.bin")})]
    with pytest.raises(DownloadError, match="not encrypted"):  # though the last address is
        get(incomplete_chain, tmp_path / "file.bin", replace(IMPATIENT, ca_bundle=bundle))
    incomplete_chain.script = [Answer(status=302, headers={"Location": incomplete_chain.url("file.bin")})]
    path = get(incomplete_chain, tmp_path / "encrypted.bin", replace(IMPATIENT, ca_bundle=bundle))
    assert path.read_bytes() == CONTENT
    server.script = [Answer(status=302, headers={"Location": server.url("file.bin")})]
    assert get(server, tmp_path / "file.bin").read_bytes() == CONTENT  # a redirect as such is followed
    assert not list(itertools.chain(tmp_path.glob("*.part"), tmp_path.glob("*.json")))
