"""RAR 4 archives for the tests, written here since no free program writes them."""

import struct
import zlib
from pathlib import Path

STORED, PACKED = 0x30, 0x33
LINK = 0o120777  # the mode of a symbolic link


def write_rar(
    path: Path,
    files: dict[str, bytes],
    *,
    packed: bool = False,
    solid: bool = False,
    encrypted: bool = False,
    modes: dict[str, int] | None = None,
    sizes: dict[str, int] | None = None,
) -> Path:
    """Write an archive.

    Args:
        path: where.
        files: the members' names and contents.
        packed: compress them, so that a program is needed to read them, and not only store them.
        solid: say that all members are packed as one. Without `packed`, nothing else follows from that.
        encrypted: say that the members are encrypted.
        modes: Unix modes of members, where they matter.
        sizes: unpacked sizes to claim for members, where they are not the true ones.
    """
    parts = [b"Rar!\x1a\x07\x00", _block(0x73, 0x08 if solid else 0, bytes(6))]
    for number, (name, data) in enumerate(files.items()):
        body = pack(data) if packed else data
        name_bytes = name.replace("/", "\\").encode()
        system, mode = (3, modes[name]) if modes and name in modes else (2, 0x20)
        size, date, version = (sizes or {}).get(name, len(data)), 0x41214000, 29
        method = PACKED if packed else STORED
        numbers = (len(body), size, system, zlib.crc32(data), date, version, method, len(name_bytes), mode)
        flags = 0x8000 | (0x10 if solid and number else 0) | (0x04 if encrypted else 0)
        parts += [_block(0x74, flags, struct.pack("<IIBIIBBHI", *numbers) + name_bytes), body]
    path.write_bytes(b"".join(parts) + _block(0x7B, 0x4000, b""))
    return path


def pack(data: bytes) -> bytes:
    """Compress as RAR 3 does, though not well: every byte is a literal, by a Huffman code whose words have 8 bits.

    Only the byte 255 and the end of the data have words of 9 bits.
    """
    # Lengths of the words that tell lengths: 2 bits for 8, for 9, for "as before, 11 times or more" and for "none, 11
    # times or more".
    bits = "00" + "".join(f"{2 if symbol in (8, 9, 17, 19) else 0:04b}" for symbol in range(20))
    eight, nine, again, none = "00", "01", "10", "11"
    bits += eight + again + f"{127:07b}" + again + f"{105:07b}"  # 255 literals
    bits += nine + nine  # the last literal and the end
    bits += none + f"{125:07b}" + none + f"{0:07b}"  # no copies of what came before, of any length or distance
    bits += "".join(f"{byte:08b}" if byte < 255 else "1" * 8 + "0" for byte in data) + "1" * 9 + "01"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _block(kind: int, flags: int, body: bytes) -> bytes:
    header = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header


# A program that reads a packed member of what `write_rar` writes, if no byte of it is 255. It takes the arguments that
# rarfile gives to any of its programs.
UNRAR = """
import struct, sys
if "--" in sys.argv:
    data = open(sys.argv[sys.argv.index("--") + 1], "rb").read()
    (header,), (size,) = struct.unpack_from("<H", data, 25), struct.unpack_from("<I", data, 31)
    bits = int.from_bytes(data[20 + header + 15 :][: size + 1], "big") >> 4
    sys.stdout.buffer.write((bits & (1 << 8 * size) - 1).to_bytes(size, "big"))
"""
