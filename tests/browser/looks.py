"""What every widget must look like: legible, whole, and with a picture that stands in for it."""

import os
from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import Locator, expect

_CONTRAST = """element => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  let ground = element;
  while ((channels(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
  const style = getComputedStyle(element);
  const drawn = style.fill === "none" ? style.stroke : style.fill;
  const ink = luminance(channels(element instanceof SVGElement ? drawn : style.color));
  const back = luminance(channels(getComputedStyle(ground).backgroundColor));
  return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
}"""
LEGIBLE, VISIBLE = 4.5, 3  # contrasts that WCAG 2.1 asks for: of text, and of what one must tell from the ground


def artifacts() -> Path:
    """Where screenshots go: ``$LDVD_ARTIFACTS``, or ``artifacts/`` in the checkout, which git ignores."""
    directory = Path(os.environ.get("LDVD_ARTIFACTS", Path(__file__).resolve().parents[2] / "artifacts"))
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def assert_contrast(parts: Locator, least: float = LEGIBLE) -> None:
    """Every visible part stands out from its ground."""
    for part in parts.filter(visible=True).all():
        assert part.evaluate(_CONTRAST) >= least, part.evaluate("element => element.outerHTML")


def assert_within(parts: Locator, frame: Locator) -> None:
    """No visible part sticks out of a frame at the sides."""
    outer = frame.bounding_box()
    for part in parts.filter(visible=True).all():
        box = part.bounding_box()
        assert box["x"] >= outer["x"] - 1, part.evaluate("element => element.outerHTML")
        assert box["x"] + box["width"] <= outer["x"] + outer["width"] + 1, part.evaluate("element => element.outerHTML")


def assert_apart(texts: Iterable[Locator]) -> None:
    """No text lies over another."""
    boxes = [text.bounding_box() for text in texts]
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            apart = one["y"] + one["height"] <= other["y"] + 3 or other["y"] + other["height"] <= one["y"] + 3
            assert beside or apart, f"{one} and {other} overlap"


def assert_picture_stands_in(notebook, least_width: int = 400) -> None:
    """A notebook that was never run here, and is not trusted, shows one picture in place of its widget."""
    pictures = notebook.page.locator(".jp-OutputArea-output img")
    expect(pictures).to_have_count(1)
    expect(pictures).to_be_visible()
    assert pictures.evaluate("image => image.naturalWidth") > least_width
    assert notebook.console_errors == []
