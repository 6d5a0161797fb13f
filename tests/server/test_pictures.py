"""Pictures from strangers' cameras: how large one says that it is decides before anything is made ready for it."""

import io
from typing import Any

import pytest
from PIL import Image, ImageFile

from server import pictures
from server.pictures import NoPicture

KINDS = [
    pytest.param(b"VP8 ", {}, id="lossy"),
    pytest.param(b"VP8L", {"lossless": True}, id="lossless"),
    pytest.param(b"VP8X", {"icc_profile": b"x" * 128}, id="with more about it"),
]


def webp(size: tuple[int, int] = (300, 200), **how: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, format="WEBP", **how)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "how"), KINDS)
def test_a_webp_says_its_size_before_it_is_opened(kind: bytes, how: dict[str, Any]) -> None:
    body = webp(**how)
    assert body[12:16] == kind
    assert pictures.canvas_of(body) == (300, 200)
    made = pictures.mend(body)
    assert (made.media_type, made.width, made.height) == ("image/webp", 300, 200)


@pytest.mark.parametrize(("kind", "how"), KINDS)
def test_a_small_file_with_a_huge_canvas_is_refused_unopened(
    kind: bytes, how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", pytest.fail)
    body = bytearray(webp(**how))
    at, field = {
        b"VP8 ": (26, b"\xff\x3f\xff\x3f"),
        b"VP8L": (21, b"\xff\xff\xff\x0f"),
        b"VP8X": (24, b"\xff\x3f\x00\xff\x3f\x00"),
    }[kind]
    body[at : at + len(field)] = field
    with pytest.raises(NoPicture, match="more than 24 million pixels"):
        pictures.mend(bytes(body))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_so_are_the_others_before_their_pixels_are_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    Image.effect_noise((2_000, 2_000), 1).save(out, format=kind)
    monkeypatch.setattr(ImageFile.ImageFile, "load", pytest.fail)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 3_000_000)
    with pytest.raises(NoPicture, match="more than 3 million pixels"):
        pictures.mend(out.getvalue())


@pytest.mark.parametrize(
    "body", [b"RIFF\x00\x00\x00\x00WEBP", b"RIFF\xff\xff\xff\xffWEBPVP8X", b"GIF89a", b""]
)
def test_what_is_cut_short_or_something_else_is_no_picture(body: bytes) -> None:
    with pytest.raises(NoPicture, match="not a PNG, JPEG or WebP picture"):
        pictures.mend(body)
