"""Places: soft painted backdrops and grounds that a camera can move along without end.

A place is painted once, as a panorama that closes on itself, from the factors of a `Content`. A frame is cut out of
it: the backdrop as one distant wall, the ground in perspective (what lies farther moves less). Then it is zoomed, and
its corners darkened, as a lens does. All of this copies and mixes whole pixels, packed in 32 bits, with integers.
"""

from functools import lru_cache
from threading import Lock

import numpy as np
from PIL import Image

from ldvd_lib.data.actions.factors import SETTINGS, Content, Palette
from ldvd_lib.data.actions.painting import PANORAMA, paint
from ldvd_lib.data.actions.solids import CENTRE, GROUND, HEIGHT, WIDTH

_FINE = 4  # panorama columns per pixel: the camera moves in quarters of a pixel
_COLUMNS = (np.arange(WIDTH) + 0.5 - CENTRE[0]) * _FINE

# setting → row where the backdrop meets the ground, row of the eye's level (the vanishing line)
_GEOMETRY = {
    "beach": (140, 118),
    "hall": (160, 84),
    "park": (144, 118),
    "room": (168, 80),
    "street": (156, 96),
    "studio": (162, 84),
}


class Scene:
    """A painted place.

    Args:
        setting, palette, horizon, light, layout: As in `Content`.
    """

    def __init__(self, setting: str, palette: str, horizon: float, light: int, layout: int):
        base, eye = _GEOMETRY[setting]
        base = round(base - horizon)
        rows = np.arange(HEIGHT, dtype=float)
        # Distance of what each row shows, 1 at the subject. Above the base everything is as far away as the base.
        distance = (GROUND - eye) / (np.maximum(rows, base) - eye)
        painting = paint(SETTINGS[setting][palette], setting, base, distance, light, np.random.default_rng(layout))
        self.tint = _light_colour(SETTINGS[setting][palette])
        self._base = base
        self._backdrop_shift = 1 / distance[base]
        # Between two columns of the panorama lie three more.
        following = np.roll(painting, -1, axis=1)
        steps = [painting + step / _FINE * (following - painting) for step in range(_FINE)]
        fine = _packed(np.stack(steps, axis=2)).reshape(HEIGHT, PANORAMA * _FINE)
        self._backdrop = fine[:base]
        self._ground = fine[base:].ravel()
        self._ground_rows = (np.arange(HEIGHT - base) * PANORAMA * _FINE)[:, None]
        self._ground_columns = _COLUMNS * distance[base:, None]

    def view(self, x: float, y: float, zoom: float) -> np.ndarray:
        """What the camera sees of the place.

        Args:
            x, y: How far the camera has moved right and down, in pixels at the subject.
            zoom: Magnification, at least 1.

        Returns:
            (240, 320, 3) uint8.
        """
        around = PANORAMA * _FINE - 1
        wide = np.empty((HEIGHT, WIDTH), dtype=np.uint32)  # zoomed across, not yet down
        columns = np.round(_COLUMNS / zoom + x * self._backdrop_shift * _FINE).astype(np.int64) & around
        np.take(self._backdrop, columns, axis=1, out=wide[: self._base], mode="clip")
        columns = np.round(self._ground_columns / zoom + x * _FINE).astype(np.int64) & around
        np.take(self._ground, columns + self._ground_rows, out=wide[self._base :], mode="clip")

        rows = CENTRE[1] + y + (np.arange(HEIGHT) + 0.5 - CENTRE[1]) / zoom - 0.5
        rows = np.round(np.clip(rows, 0, HEIGHT - 1.01) * 256).astype(np.uint32)
        upper, share = rows >> 8, rows[:, None] & 255
        mixed = _scaled(wide[upper], 256 - share) + _scaled(wide[upper + 1], share)
        image = Image.frombuffer("RGBX", (WIDTH, HEIGHT), _scaled(mixed, _vignette()), "raw", "RGBX", 0, 1)
        return np.asarray(image.convert("RGB"))


_lock = Lock()


@lru_cache(maxsize=4)
def _scene(setting: str, palette: str, horizon: float, light: int, layout: int) -> Scene:
    return Scene(setting, palette, horizon, light, layout)


def scene(content: Content) -> Scene:
    """The place of a content; the last few are cached, since clips of one group share their place."""
    with _lock:  # threads that render clips of one group wait for their place, instead of each painting it
        return _scene(content.setting, content.palette, content.horizon, content.light, content.layout)


def _packed(picture: np.ndarray) -> np.ndarray:
    """Colours (..., 3) in 0…255 as 32-bit pixels (...)."""
    packed = np.full((*picture.shape[:-1], 4), 255, dtype=np.uint8)
    packed[..., :3] = np.clip(np.round(picture), 0, 255)
    return packed.view(np.uint32)[..., 0]


def _scaled(pixels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Multiply packed pixels by weights / 256, two of their bytes at a time."""
    first = (pixels & 0x00FF00FF) * weights >> 8 & 0x00FF00FF
    second = (pixels >> 8 & 0x00FF00FF) * weights & 0xFF00FF00
    return first | second


def _light_colour(palette: Palette) -> np.ndarray:
    """Light with a little of the place's colour, so that the subject looks as if it belonged there."""
    mean = (np.array(palette.top) + palette.bottom + palette.floor_far) / 3.0
    return 1.0 + 0.35 * (mean / mean.mean() - 1.0)


@lru_cache(maxsize=1)
def _vignette() -> np.ndarray:
    x = (np.arange(WIDTH) + 0.5) / WIDTH * 2 - 1
    y = (np.arange(HEIGHT) + 0.5) / HEIGHT * 2 - 1
    shade = 1 - 0.13 * np.minimum((x**2 + y[:, None] ** 2) / 1.6, 1.3) ** 1.5
    return np.round(256 * shade).astype(np.uint32)
