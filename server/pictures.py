"""Pictures: what somebody uploaded, decoded and written anew; and the one that an actor has before anybody uploads any.

Of an upload nothing but its pixels is kept: no metadata, no other bytes that came along. Pure and slow: called in a thread.
"""

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from activitypub.later import later
from models.rules.phrases import phrase

if TYPE_CHECKING:
    from PIL import Image, ImageOps
else:
    Image, ImageOps = later("PIL.Image"), later("PIL.ImageOps")

MOST_BYTES: Final = 8_000_000
MOST_PIXELS: Final = 24_000_000
LONGEST_SIDE: Final = 2_048
TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
CELLS: Final = 5
CELL: Final = 32


class NoPicture(ValueError):
    """It is not a picture that we take; the sentence says why."""


@dataclass(frozen=True)
class Picture:
    """A picture as it will be served."""

    media_type: str
    body: bytes
    width: int
    height: int


def mend(body: bytes) -> Picture:
    """The picture written anew, turned as it was meant, at most so large; NoPicture if it is none that we take."""
    if len(body) > MOST_BYTES:
        raise NoPicture(phrase("This file is larger than {n} MB.", n=MOST_BYTES // 1000000))
    _check_size(canvas_of(body))
    try:
        with Image.open(io.BytesIO(body), formats=tuple(TYPES)) as opened:
            return _written(opened)
    except NoPicture:
        raise
    except Exception as error:  # whatever a decoder says of hostile bytes
        raise NoPicture(phrase("This is not a PNG, JPEG or WebP picture that can be read.")) from error


def _written(opened: "Image.Image") -> Picture:
    kind = opened.format or ""
    _check_size(opened.size)
    opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is read only as large as it is needed
    turned = ImageOps.exif_transpose(opened)
    turned.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clear = kind != "JPEG" and (turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info)
    pixels = turned.convert("RGBA" if clear else "RGB")
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)  # a new picture knows nothing of the old one's metadata
    out = io.BytesIO()
    bare.save(out, format=kind, **({} if kind == "PNG" else {"quality": 85}))
    return Picture(TYPES[kind], out.getvalue(), bare.width, bare.height)


def canvas_of(body: bytes) -> tuple[int, int]:
    """How wide and high a WebP says that it is: asked before it is opened, as its decoder makes room for all of that at once.
    Nothing for the other types, whose decoders say it before they make any."""
    if body[:4] != b"RIFF" or body[8:12] != b"WEBP":
        return 0, 0
    kind = body[12:16]
    if kind == b"VP8X":  # 24 bits each, less one
        return 1 + int.from_bytes(body[24:27], "little"), 1 + int.from_bytes(body[27:30], "little")
    if kind == b"VP8L":  # 14 bits each, less one
        both = int.from_bytes(body[21:25], "little")
        return 1 + (both & 0x3FFF), 1 + (both >> 14 & 0x3FFF)
    return int.from_bytes(body[26:28], "little") & 0x3FFF, int.from_bytes(body[28:30], "little") & 0x3FFF


def _check_size(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise NoPicture(phrase("This picture has more than {n} million pixels.", n=MOST_PIXELS // 1000000))


def pattern(seed: str) -> bytes:
    """A small PNG that is the same for the same seed: squares of one colour, left like right."""
    mark = hashlib.sha256(seed.encode()).digest()
    colour, paper = bytes(64 + part // 2 for part in mark[:3]), b"\xf0\xf0\xea"
    rows = []
    for row in range(CELLS):
        half = [mark[3 + row * 3 + column] & 1 for column in range(3)]
        cells = [*half, half[1], half[0]]
        line = b"\x00" + b"".join((colour if cell else paper) * CELL for cell in cells)
        rows.append(line * CELL)
    size = CELLS * CELL
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
