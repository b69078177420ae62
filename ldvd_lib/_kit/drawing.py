"""Labels and colours of the pictures that `ldvd_lib.video` makes."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Colour = tuple[int, int, int]  # RGB, 0–255

WHITE: Colour = (255, 255, 255)
_INK = 40  # grey level of text on a light background; its complement is used on a dark one
_PALETTE_SAMPLE = 1 << 16  # pixels that a palette is made from: enough for 256 colours, and quick
_EXACT_COLOURS = 8
_PLACE_VALUES = np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)  # of red, green and blue in one number


def as_tensor(picture: np.ndarray, channels: int) -> Tensor:
    """An RGB picture ``(H, W, 3)`` as a tensor ``(channels, H, W)``: its colours, or with one channel its luminance."""
    picture = picture if channels == 3 else np.asarray(Image.fromarray(picture).convert("L"))[:, :, None]
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)


def check_background(background: Colour) -> None:
    """Raise a ValueError if this is not an RGB colour."""
    if len(background) != 3 or not all(isinstance(level, int) and 0 <= level <= 255 for level in background):
        raise ValueError(f"background must be three whole numbers from 0 to 255 (RGB), got {background!r}.")


def check_labels(labels: Sequence[str], count: int) -> None:
    """Raise a ValueError if these are not ``count`` texts."""
    if isinstance(labels, str) or len(labels) != count or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"labels must be a list of {count} texts, one per video, got {labels!r}.")


def headings(labels: Sequence[str], width: int, background: Colour) -> np.ndarray:
    """Strips of text to put above the videos, centred, shortened if need be: uint8 ``(N, strip height, width, 3)``."""
    font = _font(min(max(width / 10, 10), 16))
    height = math.ceil(font.size * 1.6)
    strips = []
    for label in labels:
        strip = Image.new("RGB", (width, height), background)
        position = (width / 2, height / 2)
        ImageDraw.Draw(strip).text(position, _shorten(label, font, width), _ink(background), font, anchor="mm")
        strips.append(np.asarray(strip))
    return np.stack(strips)


def with_row_labels(
    picture: Image.Image, labels: Sequence[str], row_height: int, padding: int, background: Colour
) -> Image.Image:
    """The picture with a label at the left of each of its rows."""
    font = _font(min(max(row_height / 5, 11), 16))
    gap = round(font.size / 2)
    margin = round(max(font.getlength(label) for label in labels)) + 2 * gap
    labelled = Image.new("RGB", (margin + picture.width, picture.height), background)
    labelled.paste(picture, (margin, 0))
    draw = ImageDraw.Draw(labelled)
    for row, label in enumerate(labels):
        position = (margin - gap, row * (row_height + padding) + row_height / 2)
        draw.text(position, label, _ink(background), font, anchor="rm")
    return labelled


def share_palette(pictures: np.ndarray) -> list[Image.Image]:
    """Frames ``(T, H, W, 3)`` as palette pictures that share one palette of at most 256 colours.

    The most common colours, such as the one between the videos of a grid, are kept exactly; all are if they are few.
    """
    from scipy.spatial import KDTree  # here, for it takes a while, and few who import the library draw

    pixels = pictures.reshape(-1, 3)
    sample = pixels[:: math.ceil(len(pixels) / _PALETTE_SAMPLE)]
    colours, counts = np.unique(sample, axis=0, return_counts=True)
    if len(colours) > 256:
        most_common = colours[np.argsort(-counts, kind="stable")[:_EXACT_COLOURS]]
        row = Image.fromarray(np.ascontiguousarray(sample)[None])
        quantized = row.quantize(256 - _EXACT_COLOURS, Image.Quantize.MEDIANCUT, kmeans=1).getpalette()
        colours = np.concatenate([most_common, np.array(quantized, dtype=np.uint8).reshape(-1, 3)])
    # Not by Pillow, whose search for the nearest colour is coarse: of white it would make a light grey.
    packed, places = np.unique(pixels.astype(np.uint32) @ _PLACE_VALUES, return_inverse=True)
    found = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
    indices = KDTree(colours).query(found)[1].astype(np.uint8)[places].reshape(pictures.shape[:3])
    shared = [Image.fromarray(picture) for picture in indices]
    for picture in shared:
        picture.putpalette(colours.tobytes())
    return shared


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("labels need a Pillow that was built with FreeType")
    return font


def _ink(background: Colour) -> Colour:
    red, green, blue = background
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 127
    return (_INK,) * 3 if is_light else (255 - _INK,) * 3


def _shorten(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
