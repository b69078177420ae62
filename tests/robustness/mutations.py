"""Ways in which a file goes bad, each a function of a seeded stream: the same seed makes the same damage."""

import copy
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

# The stream, the file's bytes, and those of another sound file of the same kind → the damaged bytes.
Mutator = Callable[[Random, bytes, bytes], bytes]

TRAP = "LDVD_UNPICKLED"  # an environment variable that is set by whoever unpickles `_Trap`


class _Trap:
    """What somebody could have pickled into a file."""

    def __reduce__(self) -> tuple:
        return exec, (f"import os; os.environ[{TRAP!r}] = 'yes'",)


# Bytes ----------------------------------------------------------------------------------------------------------------


def _block(random: Random, data: bytes) -> tuple[int, int]:
    """Where a block of at most half the data begins and ends."""
    start = random.randrange(len(data))
    return start, min(len(data), start + random.randint(1, max(1, len(data) // 2)))


def flip_bits(random: Random, data: bytes, other: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        damaged[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def flip_early_bits(random: Random, data: bytes, other: bytes) -> bytes:
    """Where most formats have their header."""
    head = min(len(data), 256)
    return flip_bits(random, data[:head], other) + data[head:]


def extreme_number(random: Random, data: bytes, other: bytes) -> bytes:
    """In place of a size or a count in a header, say."""
    start = random.randrange(min(len(data), 1024))
    number = random.choice((b"\xff", b"\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x40", b"\x40\0\0\0"))
    number = number * 4 if len(number) == 1 else number
    return data[:start] + number + data[start + 4 :]


def cut(random: Random, data: bytes, other: bytes) -> bytes:
    return data[: random.randrange(1, len(data))]


def cut_to_half(random: Random, data: bytes, other: bytes) -> bytes:
    return data[: len(data) // 2]


def empty(random: Random, data: bytes, other: bytes) -> bytes:
    return b""


def zero_block(random: Random, data: bytes, other: bytes) -> bytes:
    start, end = _block(random, data)
    return data[:start] + bytes(end - start) + data[end:]


def zero_end(random: Random, data: bytes, other: bytes) -> bytes:
    """What a power failure leaves of a file whose length reached the disk before its data did."""
    start = random.randrange(len(data))
    return data[:start] + bytes(len(data) - start)


def all_zero(random: Random, data: bytes, other: bytes) -> bytes:
    return bytes(len(data))


def random_block(random: Random, data: bytes, other: bytes) -> bytes:
    start, end = _block(random, data)
    return data[:start] + random.randbytes(end - start) + data[end:]


def repeat_block(random: Random, data: bytes, other: bytes) -> bytes:
    start, end = _block(random, data)
    return data[:end] + data[start:]


def drop_block(random: Random, data: bytes, other: bytes) -> bytes:
    start, end = _block(random, data)
    return data[:start] + data[end:]


def block_of_another(random: Random, data: bytes, other: bytes) -> bytes:
    start, end = _block(random, data)
    return data[:start] + other[start:end] + data[end:]


def append_bytes(random: Random, data: bytes, other: bytes) -> bytes:
    return data + random.choice((b"\n", b"\0" * 512, random.randbytes(64), data, other))


def foreign(random: Random, data: bytes, other: bytes) -> bytes:
    """A file of another kind under this name, some with code that runs if they are unpickled."""
    return random.choice(
        (
            b"<html>404 Not Found</html>",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            b"PK\x05\x06" + bytes(18),
            b"RIFF\x00\x00\x00\x00AVI ",
            b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
            + pickle.dumps([_Trap()]),
            pickle.dumps(_Trap()),
            pickle.dumps({"weights": _Trap()}, protocol=2),
        )
    )  # fmt: skip


# Text, line by line ---------------------------------------------------------------------------------------------------


def _lines(change: Callable[[Random, list[bytes]], None]) -> Mutator:
    def mutate(random: Random, data: bytes, other: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        change(random, lines)
        return b"".join(lines)

    mutate.__name__ = change.__name__
    return mutate


@_lines
def repeat_line(random: Random, lines: list[bytes]) -> None:
    lines.insert(random.randint(0, len(lines)), random.choice(lines))


@_lines
def drop_line(random: Random, lines: list[bytes]) -> None:
    del lines[random.randrange(len(lines))]


@_lines
def swap_lines(random: Random, lines: list[bytes]) -> None:
    random.shuffle(lines)


@_lines
def cut_line(random: Random, lines: list[bytes]) -> None:
    number = random.randrange(len(lines))
    lines[number] = lines[number].rstrip()[: random.randrange(1, len(lines[number]))] + b"\n"


@_lines
def insert_line(random: Random, lines: list[bytes]) -> None:
    odd = b"\n", b"   \n", b"# a comment\n", b"nonsense\n", b"\0\0\0\0\n", b"\xff\xfe\n", b"x" * 100_000 + b"\n"
    lines.insert(random.randint(0, len(lines)), random.choice(odd))


def as_utf16(random: Random, data: bytes, other: bytes) -> bytes:
    return data.decode().encode("utf-16")


def with_byte_order_mark(random: Random, data: bytes, other: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def windows_line_ends(random: Random, data: bytes, other: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


# JSON -----------------------------------------------------------------------------------------------------------------


def _places(value: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value in a document but the document itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*path, key), *_places(item, (*path, key)))]


def _odd_value(random: Random, value: Any) -> Any:
    """A value of another type, or one that no sensible file has."""
    odd: list[Any] = [None, True, "", "text", "../../etc/passwd", [], {}, [[]], {"a": 1}, 0, -1, 1.5, 10**30, 1e308]
    odd += [float("nan"), float("inf"), 2**31, 2**63, "0", str(value), [value]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        odd += [-value, value + 1, value * 1000, float(value)]
    return random.choice(odd)


def _change(random: Random, document: Any) -> Any:
    """A document with one place changed."""
    places = _places(document)
    if not places or random.random() < 0.05:
        return _odd_value(random, document)
    document = copy.deepcopy(document)
    *path, key = random.choice(places)
    parent = document
    for step in path:
        parent = parent[step]
    what = random.choice(("odd value", "odd value", "odd value", "drop", "twice", "unknown key"))
    if what == "odd value":
        parent[key] = _odd_value(random, parent[key])
    elif what == "drop":
        del parent[key]
    elif isinstance(parent, list):
        parent.insert(random.randint(0, len(parent)), copy.deepcopy(parent[key]))
    else:
        parent["unknown"] = parent.pop(key) if what == "unknown key" else parent[key]
    return document


def change_json(random: Random, data: bytes, other: bytes) -> bytes:
    return json.dumps(_change(random, json.loads(data)), indent=1).encode()


@_lines
def change_json_line(random: Random, lines: list[bytes]) -> None:
    number = random.randrange(len(lines))
    lines[number] = json.dumps(_change(random, json.loads(lines[number]))).encode() + b"\n"


@_lines
def cut_last_line(random: Random, lines: list[bytes]) -> None:
    lines[-1] = lines[-1][: random.randrange(1, len(lines[-1]))]


def nested_without_end(random: Random, data: bytes, other: bytes) -> bytes:
    return random.choice((b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000))


def one_huge_number(random: Random, data: bytes, other: bytes) -> bytes:
    """Python refuses to read so many digits, with an error of its own."""
    return b'{"step": ' + b"9" * 10_000 + b"}\n"


BYTES: tuple[Mutator, ...] = (
    flip_bits,
    flip_bits,
    flip_early_bits,
    flip_early_bits,
    extreme_number,
    extreme_number,
    cut,
    cut,
    cut_to_half,
    empty,
    zero_block,
    zero_end,
    all_zero,
    random_block,
    repeat_block,
    drop_block,
    block_of_another,
    append_bytes,
    foreign,
)
LINES: tuple[Mutator, ...] = (
    *(repeat_line, drop_line, swap_lines, cut_line, insert_line, insert_line),
    *(as_utf16, with_byte_order_mark, windows_line_ends),
)
JSON: tuple[Mutator, ...] = (*(change_json,) * 20, nested_without_end, one_huge_number, as_utf16, with_byte_order_mark)
JSON_LINES: tuple[Mutator, ...] = (
    *(*(change_json_line,) * 12, cut_last_line, nested_without_end, one_huge_number),
    *LINES,
)
BY_SUFFIX = {".txt": BYTES + 2 * LINES, ".json": BYTES + JSON, ".jsonl": BYTES + JSON_LINES}


def damage(path: Path, other: Path, random: Random) -> str:
    """Damage a file in a way that depends on its suffix; returns how.

    Args:
        path: the file; changed.
        other: another sound file of the same kind.
        random: decides which way and where.
    """
    mutator = random.choice(BY_SUFFIX.get(path.suffix, BYTES))
    before = path.read_bytes()
    after = mutator(random, before, other.read_bytes())
    path.write_bytes(after)
    return mutator.__name__ if after != before else f"{mutator.__name__} (no change)"


def was_unpickled() -> bool:
    """Whether `_Trap` was unpickled in this process since the last call."""
    return os.environ.pop(TRAP, None) is not None
