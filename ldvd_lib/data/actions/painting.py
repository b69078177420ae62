"""How the places of the built-in data set are painted: soft skies, walls, props and grounds."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from ldvd_lib.data.actions.factors import Palette
from ldvd_lib.data.actions.solids import HEIGHT

PANORAMA = 1024  # pixels all round; a power of two, so that columns wrap by a mask


def paint(
    palette: Palette, setting: str, base: int, distance: np.ndarray, light: int, generator: np.random.Generator
) -> np.ndarray:
    """Paint a panorama. Returns: (240, 1024, 3) in 0…255."""
    top, bottom = np.array(palette.top, float), np.array(palette.bottom, float)
    rows = np.arange(HEIGHT)[:, None, None]
    picture = np.broadcast_to(top + (bottom - top) * np.clip(rows / base, 0, 1) ** 1.3, (HEIGHT, PANORAMA, 3)).copy()
    brush = Brush(picture[:base], generator, light)
    _BACKDROPS[setting](brush, palette)
    picture[:base] = ndimage.gaussian_filter(picture[:base], (1.3, 1.3, 0), mode=("nearest", "wrap", "nearest"))

    far, near = np.array(palette.floor_far, float), np.array(palette.floor_near, float)
    depth = np.clip((rows[base:] - base) / (HEIGHT - base), 0, 1) ** 0.8
    picture[base:] = far + (near - far) * depth
    ground = Brush(picture[base:], generator, light)
    _GROUNDS[setting](ground, palette)
    # In far rows more of the panorama falls into a pixel: they are blurred more, so as not to shimmer.
    for row in range(base, HEIGHT):
        picture[row] = ndimage.gaussian_filter1d(picture[row], 0.7 * distance[row] + 0.5, axis=0, mode="wrap")
    if setting == "studio":  # a seamless paper cove: no edge between wall and floor
        band = slice(base - 52, base + 52)
        smoothed = ndimage.gaussian_filter1d(picture[base - 82 :], 15.0, axis=0, mode="nearest")[30:134]
        fade = np.clip(1.5 - np.abs(np.arange(-52, 52)) / 34, 0, 1)[:, None, None]
        picture[band] += fade * (smoothed - picture[band])
    else:  # where they meet, a soft contact shade
        contact = np.exp(-(((np.arange(HEIGHT) - base) / 3.0) ** 2))[:, None, None]
        picture *= 1 - 0.07 * contact
    return picture


class Brush:
    """Paints soft shapes on a panorama that closes on itself.

    Args:
        canvas: (H, 1024, 3) float, painted in place.
        generator: Where positions and textures come from.
        light: Side that the light comes from.
    """

    def __init__(self, canvas: np.ndarray, generator: np.random.Generator, light: int):
        self.canvas = canvas
        self.height = canvas.shape[0]
        self.generator = generator
        self.light = light
        self.rows = np.arange(self.height, dtype=float)[:, None]
        self.columns = np.arange(PANORAMA, dtype=float)

    def uniform(self, low: float, high: float) -> float:
        """A number between two."""
        return float(low + (high - low) * self.generator.random())

    def away(self, column: float) -> np.ndarray:
        """Signed distance of every column from a given one, the shorter way round. Returns: (1024,)."""
        return (self.columns - column + PANORAMA / 2) % PANORAMA - PANORAMA / 2

    def lay(self, mask: np.ndarray, colour: ArrayLike, strength: float = 1.0) -> None:
        """Cover with a colour where a mask, (H, 1024) in 0…1, is not 0."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return
        touched = np.ix_(rows, columns)  # most shapes are small
        colour = np.asarray(colour, dtype=float)
        if colour.ndim > 1:
            colour = np.broadcast_to(colour, self.canvas.shape)[touched]
        before = self.canvas[touched]
        self.canvas[touched] = before + (strength * mask[touched])[..., None] * (colour - before)

    def texture(self, coarse: tuple[float, float], strength: float) -> None:
        """Lighten and darken by a soft noise with blobs of coarse (rows, columns) pixels."""
        self.canvas *= 1 + strength * self.noise(coarse)[..., None]

    def noise(self, coarse: tuple[float, float]) -> np.ndarray:
        """Soft noise of unit variance, with blobs of about that many rows and columns. Returns: (H, 1024)."""
        sigma = np.array(coarse) / 4.0  # computed at quarter size: it is smooth anyway
        field = self.generator.random((self.height // 4 + 2, PANORAMA // 4)) - 0.5
        field = ndimage.gaussian_filter(field, np.maximum(sigma, 0.6), mode=("reflect", "wrap"))
        field = ndimage.zoom(field, (1, 4), order=1, mode="grid-wrap", grid_mode=True)
        field = ndimage.zoom(field, (4, 1), order=1, mode="nearest", grid_mode=True)[: self.height]
        return field / field.std()

    def rectangle(self, column: float, row: float, wide: float, high: float, soft: float = 1.0) -> np.ndarray:
        """Mask of a rectangle around a point, soft at its edges. Returns: (H, 1024)."""
        across = np.clip((wide / 2 - np.abs(self.away(column))) / soft + 0.5, 0, 1)
        down = np.clip((high / 2 - np.abs(self.rows - row)) / soft + 0.5, 0, 1)
        return across * down

    def ellipse(self, column: float, row: float, wide: float, high: float, soft: float = 0.25) -> np.ndarray:
        """Mask of an ellipse around a point; it fades over a share (soft) of its radius. Returns: (H, 1024)."""
        distance = np.sqrt((2 * self.away(column) / wide) ** 2 + (2 * (self.rows - row) / high) ** 2)
        return np.clip((1 - distance) / soft, 0, 1)

    def ridge(self, level: float, rough: float, waves: int) -> np.ndarray:
        """Mask of everything below a rolling line around a row. Returns: (H, 1024)."""
        line = np.full(PANORAMA, float(level))
        for wave in range(2, waves):
            phase, size = self.uniform(0, 2 * np.pi), self.uniform(0.3, 1.0)
            line += rough * size / wave**0.9 * np.sin(2 * np.pi * wave * self.columns / PANORAMA + phase)
        return np.clip((self.rows - line) / 1.5 + 0.5, 0, 1)

    def along(self, low: float, high: float) -> list[float]:
        """Columns all round the panorama, between low and high pixels apart."""
        steps, total = [], 0.0
        while total < PANORAMA - low:
            steps.append(self.uniform(low, high))
            total += steps[-1]
        positions = np.cumsum(steps) * PANORAMA / total  # stretched a little so that the circle closes
        return [float(position) for position in (positions + self.uniform(0, PANORAMA)) % PANORAMA]


def _mix(first: ArrayLike, second: ArrayLike, share: float) -> np.ndarray:
    return (1 - share) * np.asarray(first, float) + share * np.asarray(second, float)


def _clouds(brush: Brush, strength: float) -> None:
    cloud = np.clip(brush.noise((16, 60)) * 0.6 + brush.noise((7, 26)) * 0.3 - 0.25, 0, 1)
    fade = np.clip(1.15 - brush.rows / brush.height, 0, 1)
    brush.lay(cloud * fade, (250, 248, 244), strength)


def _beach(brush: Brush, palette: Palette) -> None:
    _clouds(brush, 0.6)
    sea = brush.height - 38
    brush.lay(brush.ridge(sea - 8, 9, 5) * (brush.rows < sea), _mix(palette.near, palette.bottom, 0.45))
    below = np.clip(brush.rows - sea + 0.5, 0, 1) * np.ones(PANORAMA)
    depth = np.clip((brush.rows - sea) / 38, 0, 1)[..., None]
    water = _mix(palette.far, palette.bottom, 0.25) + (np.array(palette.far) - palette.bottom) * 0.2 * depth
    brush.lay(below, water)
    glitter = np.clip(brush.noise((2, 22)) - 0.5, 0, 1) * below
    brush.lay(glitter, palette.bottom, 0.45)
    brush.lay(
        np.clip(1 - np.abs(brush.rows - brush.height + 2 - 1.5 * brush.noise((200, 60))) / 3, 0, 1),
        (246, 242, 232),
        0.7,
    )
    for column in brush.along(330, 520):
        row = sea - 1
        sail = np.clip((row - brush.rows) / 22, 0, 1)
        inside = (
            (np.abs(brush.away(column) + 5 * sail) < 11 * (1 - sail)) & (brush.rows < row) & (brush.rows > row - 24)
        )
        brush.lay(inside, (244, 238, 226), 0.85)
        brush.lay(brush.rectangle(column - 1, row + 1, 24, 4), _mix(palette.near, (60, 50, 50), 0.4), 0.8)


def _park(brush: Brush, palette: Palette) -> None:
    _clouds(brush, 0.5)
    brush.lay(brush.ridge(brush.height - 34, 16, 7), _mix(palette.far, palette.bottom, 0.55))
    brush.lay(brush.ridge(brush.height - 17, 9, 9), _mix(palette.far, palette.bottom, 0.15))
    for column in brush.along(85, 210):
        size, foot = brush.uniform(46, 92), brush.height - brush.uniform(1, 5)
        leaf = _mix(palette.near, palette.far, brush.uniform(0.0, 0.5))
        brush.lay(
            brush.rectangle(column, foot - size * 0.3, size * 0.09, size * 0.62, 2), _mix(leaf, (72, 56, 48), 0.6)
        )
        for _ in range(7):
            x, y = column + brush.uniform(-0.3, 0.3) * size, foot - size * brush.uniform(0.6, 1.05)
            crown = size * brush.uniform(0.36, 0.56)
            brush.lay(brush.ellipse(x, y, crown, crown * 0.9, 0.35), _mix(leaf, (40, 50, 40), 0.18), 0.85)
            glow = brush.ellipse(x + brush.light * crown * 0.14, y - crown * 0.15, crown * 0.6, crown * 0.5, 0.9)
            brush.lay(glow, _mix(leaf, (250, 240, 200), 0.3), 0.5)
    brush.lay(brush.ridge(brush.height - 5, 3, 40), _mix(palette.near, palette.floor_far, 0.5), 0.9)


def _street(brush: Brush, palette: Palette) -> None:
    positions = brush.along(110, 190)
    for index, column in enumerate(positions):
        following = positions[(index + 1) % len(positions)]
        wide = (following - column) % PANORAMA
        roof = brush.uniform(-30, 44)
        wall = _mix(palette.far, palette.bottom, brush.uniform(0.0, 0.55)) * brush.uniform(0.92, 1.05)
        middle = column + wide / 2
        brush.lay(brush.rectangle(middle, (roof + brush.height) / 2, wide, brush.height - roof, 1.5), wall)
        brush.lay(brush.rectangle(middle, roof + 2, wide, 5, 1.5), wall * 0.86)
        panes = max(int(wide // 36), 2)
        for pane in range(panes):
            x = column + wide * (pane + 0.5) / panes
            for row in np.arange(roof + 26, brush.height - 52, 40):
                brush.lay(brush.rectangle(x, row, 19, 25, 2), wall * 1.08, 0.9)
                brush.lay(brush.rectangle(x, row, 15, 21, 2), _mix(palette.near, palette.top, brush.uniform(0.05, 0.5)))
        shop = brush.rectangle(middle, brush.height - 21, wide * 0.8, 32, 2)
        brush.lay(shop, _mix(palette.near, wall, brush.uniform(0.25, 0.6)))
        brush.lay(brush.rectangle(middle, brush.height - 40, wide * 0.86, 7, 2), _mix(palette.near, wall, 0.2) * 0.9)
    brush.texture((18, 40), 0.02)


def _hall(brush: Brush, palette: Palette) -> None:
    brush.texture((40, 120), 0.02)
    brush.lay(brush.rectangle(0, brush.height - 22, 4 * PANORAMA, 44, 2), palette.far)
    brush.lay(brush.rectangle(0, brush.height - 46, 4 * PANORAMA, 4, 2), palette.near, 0.9)
    brush.lay(brush.rectangle(0, brush.height - 2, 4 * PANORAMA, 6, 2), np.array(palette.far) * 0.75, 0.8)
    for index, column in enumerate(brush.along(120, 200)):
        if index % 3 == 2:  # wall bars
            brush.lay(
                brush.rectangle(column, brush.height * 0.55, 62, brush.height * 0.84, 2),
                np.array(palette.floor_far) * 0.92,
                0.35,
            )
            for row in np.arange(brush.height * 0.16, brush.height * 0.96, 9):
                brush.lay(brush.rectangle(column, row, 58, 3.2, 1.6), np.array(palette.floor_near) * 0.95, 0.75)
            for side in (-30, 30):
                brush.lay(
                    brush.rectangle(column + side, brush.height * 0.55, 4, brush.height * 0.84, 1.6),
                    np.array(palette.floor_near) * 0.85,
                    0.85,
                )
        else:  # a high window
            high, wide = brush.uniform(44, 62), brush.uniform(64, 92)
            brush.lay(brush.rectangle(column, 34, wide + 6, high + 6, 2), np.array(palette.far) * 0.85, 0.8)
            brush.lay(brush.rectangle(column, 34, wide, high, 2), _mix(palette.near, (250, 250, 244), 0.55))
            for bar in (-wide / 4, 0, wide / 4):
                brush.lay(brush.rectangle(column + bar, 34, 2.4, high, 1.5), np.array(palette.far), 0.8)


def _room(brush: Brush, palette: Palette) -> None:
    stripes = 0.5 + 0.5 * np.sin(2 * np.pi * brush.columns * 32 / PANORAMA)
    brush.lay(np.broadcast_to(stripes, (brush.height, PANORAMA)), palette.far, 0.09)
    brush.texture((60, 140), 0.025)
    brush.lay(brush.rectangle(0, brush.height - 6, 4 * PANORAMA, 15, 2), _mix(palette.bottom, (250, 248, 240), 0.6))
    for index, column in enumerate(brush.along(110, 190)):
        if index % 2:  # a picture
            wide, high, row = brush.uniform(44, 70), brush.uniform(38, 60), brush.uniform(46, 66)
            brush.lay(
                brush.rectangle(column + 3 * -brush.light, row + 4, wide + 8, high + 8, 8),
                np.array(palette.far) * 0.7,
                0.5,
            )
            brush.lay(brush.rectangle(column, row, wide + 6, high + 6, 1.5), np.array(palette.floor_near) * 0.9)
            brush.lay(brush.rectangle(column, row, wide - 2, high - 2, 1.5), palette.bottom)
            brush.lay(brush.rectangle(column, row, wide - 14, high - 14, 1.5), palette.near)
            hill = brush.ellipse(column + brush.uniform(-8, 8), row + high * 0.45, wide * 1.1, high * 0.9, 0.2)
            brush.lay(
                hill * brush.rectangle(column, row, wide - 14, high - 14, 1.5), _mix(palette.near, palette.far, 0.7)
            )
        elif index % 4 == 0:  # a window with daylight
            brush.lay(brush.rectangle(column, 66, 84, 104, 2), _mix(palette.bottom, (252, 250, 244), 0.7))
            brush.lay(brush.rectangle(column, 66, 72, 92, 2), _mix(palette.top, (226, 236, 240), 0.75))
            for across, down, wide, high in ((0, 0, 4, 92), (0, -10, 72, 4)):
                brush.lay(
                    brush.rectangle(column + across, 66 + down, wide, high, 1.5),
                    _mix(palette.bottom, (252, 250, 244), 0.7),
                )
        else:  # a shelf and a plant
            brush.lay(brush.rectangle(column, brush.height - 34, 46, 66, 2), np.array(palette.floor_near) * 1.04)
            for row in (18, 38, 58):
                brush.lay(brush.rectangle(column, brush.height - row, 38, 12, 2), np.array(palette.floor_near) * 0.72)
            for _ in range(9):
                x, y = column + brush.uniform(-16, 16), brush.height - 84 + brush.uniform(-20, 10)
                brush.lay(
                    brush.ellipse(x, y, 18, 22, 0.5), _mix((96, 120, 92), palette.far, brush.uniform(0.1, 0.5)), 0.85
                )


def _studio(brush: Brush, palette: Palette) -> None:
    for column in brush.along(200, 320):
        pool = brush.ellipse(column, brush.height * 0.55, 330, 230, 1.0)
        brush.lay(pool, _mix(palette.bottom, (255, 250, 244), 0.4), 0.35)
    brush.texture((50, 90), 0.022)
    brush.texture((6, 8), 0.006)


def _paper(brush: Brush, palette: Palette) -> None:
    brush.texture((60, 160), 0.012)


def _sand(brush: Brush, palette: Palette) -> None:
    brush.texture((7, 70), 0.035)
    brush.texture((3, 22), 0.02)


def _grass(brush: Brush, palette: Palette) -> None:
    _sand(brush, palette)
    for column in brush.along(90, 180):
        row = brush.uniform(0.1, 0.9) * brush.height
        brush.lay(
            brush.ellipse(column, row, brush.uniform(60, 150), brush.uniform(10, 22), 0.9),
            np.array(palette.near) * 0.95,
            0.3,
        )
    brush.texture((2, 6), 0.03)


def _planks(brush: Brush, palette: Palette) -> None:
    """Boards that lead away from the camera: constant columns, which perspective brings together."""
    columns = np.linspace(0, PANORAMA, 33)[:-1]
    for column in columns:
        brush.canvas *= (
            1 + 0.035 * brush.uniform(-1, 1) * brush.rectangle(column + 16, 0, 32, 4 * HEIGHT, 1.5)[..., None]
        )
        brush.lay(brush.rectangle(column, 0, 1.6, 4 * HEIGHT, 1.5), np.array(palette.floor_near) * 0.7, 0.4)
    brush.texture((12, 30), 0.02)


def _court(brush: Brush, palette: Palette) -> None:
    _planks(brush, palette)
    brush.lay(brush.rectangle(0, brush.height * 0.22, 4 * PANORAMA, 3.0, 1.5), palette.near, 0.75)
    for column in brush.along(300, 420):
        brush.lay(brush.rectangle(column, 0, 7, 4 * HEIGHT, 2), palette.near, 0.6)
    gloss = np.clip(1 - brush.rows / (0.5 * brush.height), 0, 1) * np.clip(0.5 + 0.5 * brush.noise((200, 50)), 0, 1)
    brush.lay(gloss, palette.bottom, 0.25)


def _pavement(brush: Brush, palette: Palette) -> None:
    brush.texture((8, 50), 0.025)
    joint = np.array(palette.floor_near) * 0.82
    for column in np.linspace(0, PANORAMA, 15)[:-1]:
        brush.lay(brush.rectangle(column, 0, 2.4, 4 * HEIGHT, 2), joint, 0.55)
    for share in (0.1, 0.32, 0.72):
        brush.lay(brush.rectangle(0, brush.height * share, 4 * PANORAMA, 1.0 + 1.2 * share, 1.2), joint, 0.5)
    brush.lay(brush.rectangle(0, 2, 4 * PANORAMA, 6, 1.5), np.array(palette.floor_far) * 1.08, 0.8)


_BACKDROPS: dict[str, Callable[[Brush, Palette], None]] = {
    "beach": _beach,
    "hall": _hall,
    "park": _park,
    "room": _room,
    "street": _street,
    "studio": _studio,
}
_GROUNDS: dict[str, Callable[[Brush, Palette], None]] = {
    "beach": _sand,
    "hall": _court,
    "park": _grass,
    "room": _planks,
    "street": _pavement,
    "studio": _paper,
}
