"""What varies in the built-in data set: the content (who, where) and the motion (what, how, filmed how).

Every factor is drawn independently of every other, the action's class included, so that nothing about the person or
the place tells what they are doing. Colours are stored as names, which are readable in ``factors.json`` and are
categories.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from ldvd_lib._kit.checks import one_of

_Choice = TypeVar("_Choice")

FRAME_RATE = 25

# Natural duration of one cycle of each action, in frames at 25 fps. Alphabetical, as UCF-101's class list is.
PERIODS = MappingProxyType(
    {
        "BouncingBall": 22,
        "Boxing": 22,
        "JumpingJacks": 24,
        "Kicking": 26,
        "PendulumSwing": 30,
        "PullUps": 32,
        "PushUps": 26,
        "RollingWheel": 30,
        "Running": 17,
        "SpinningWindmill": 40,
        "Squats": 30,
        "Walking": 26,
    }
)
CLASSES = tuple(PERIODS)

# (red, green, blue) in 0…255. Muted throughout: saturated backgrounds make small video GANs oscillate.
SKIN = {"porcelain": (236, 205, 184), "sand": (222, 180, 150), "bronze": (178, 130, 98), "umber": (122, 84, 64)}
HAIR = {
    "black": (46, 42, 46),
    "chestnut": (76, 50, 40),
    "copper": (166, 84, 46),
    "straw": (218, 190, 122),
    "grey": (178, 176, 178),
}
CLOTH = {
    "brick": (176, 82, 66),
    "mustard": (202, 162, 88),
    "olive": (112, 118, 70),
    "pine": (58, 96, 84),
    "teal": (66, 132, 138),
    "navy": (56, 70, 104),
    "plum": (118, 72, 104),
    "rose": (200, 128, 130),
    "charcoal": (68, 70, 78),
    "sky": (150, 186, 210),
    "cream": (232, 222, 200),
}


@dataclass(frozen=True)
class Palette:
    """Colours of one place, each (red, green, blue) in 0…255.

    Args:
        top: Sky at the top, or the wall's upper part.
        bottom: Sky at the horizon, or the wall's lower part.
        far: The larger shapes behind the subject: hills, façades, panels.
        near: The smaller shapes: trees, windows, pictures.
        floor_far: Ground at the foot of the backdrop.
        floor_near: Ground at the lower edge of the picture.
    """

    top: tuple[int, int, int]
    bottom: tuple[int, int, int]
    far: tuple[int, int, int]
    near: tuple[int, int, int]
    floor_far: tuple[int, int, int]
    floor_near: tuple[int, int, int]


# setting → name of palette → colours
SETTINGS: dict[str, dict[str, Palette]] = {
    "beach": {
        "noon": Palette(
            (150, 182, 204), (214, 224, 222), (112, 152, 168),
            (160, 158, 140), (222, 206, 172), (200, 178, 138),
        ),
        "evening": Palette(
            (134, 134, 164), (226, 188, 162), (104, 116, 146),
            (122, 104, 108), (190, 164, 142), (156, 128, 110),
        ),
    },
    "hall": {
        "maple": Palette(
            (204, 202, 190), (220, 214, 198), (150, 166, 168),
            (226, 230, 224), (206, 172, 126), (176, 138, 94),
        ),
        "sports": Palette(
            (176, 190, 186), (200, 208, 200), (120, 144, 146),
            (222, 214, 190), (136, 158, 150), (104, 128, 122),
        ),
    },
    "park": {
        "spring": Palette(
            (160, 188, 206), (222, 228, 216), (146, 166, 146),
            (100, 132, 98), (160, 176, 122), (124, 146, 88),
        ),
        "autumn": Palette(
            (186, 192, 196), (232, 220, 200), (168, 150, 128),
            (178, 126, 80), (176, 164, 110), (146, 128, 80),
        ),
    },
    "room": {
        "linen": Palette(
            (222, 212, 196), (232, 222, 206), (196, 184, 168),
            (140, 158, 162), (184, 158, 128), (156, 130, 102),
        ),
        "moss": Palette(
            (88, 108, 98), (110, 130, 118), (78, 98, 90),
            (206, 196, 170), (138, 114, 94), (110, 92, 76),
        ),
    },
    "street": {
        "morning": Palette(
            (196, 206, 210), (226, 222, 212), (190, 160, 138),
            (98, 112, 124), (182, 178, 172), (150, 146, 142),
        ),
        "dusk": Palette(
            (120, 128, 146), (168, 166, 170), (126, 124, 132),
            (220, 196, 150), (128, 130, 136), (98, 100, 108),
        ),
    },
    "studio": {
        "dove": Palette(
            (172, 176, 182), (206, 208, 208), (190, 192, 196),
            (176, 178, 182), (212, 212, 210), (176, 176, 178),
        ),
        "slate": Palette(
            (98, 108, 118), (136, 144, 150), (116, 124, 132),
            (104, 112, 120), (142, 148, 152), (106, 112, 118),
        ),
    },
}  # fmt: skip

PLACES = tuple((setting, palette) for setting, palettes in SETTINGS.items() for palette in palettes)

HAIR_STYLES = ("short", "long", "bun", "cap")
STANDS_OUT = 62.0  # smallest `colour_distance` between a garment and its background; black to white is 442
DIFFERS = 45.0  # smallest `colour_distance` between a shirt and the other garments


def colour_distance(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """Distance between two (red, green, blue) colours; green weighs most, as it does for the eye."""
    difference = (np.asarray(first, dtype=float) - np.asarray(second, dtype=float)) * np.sqrt([0.9, 1.5, 0.6])
    return float(np.sqrt((difference**2).sum()))


@dataclass(frozen=True)
class Content:
    """Who is filmed and where. Objects (ball, wheel, …) wear the same person's colours.

    Args:
        height: Size of the subject relative to its natural size, 0.94…1.06.
        build: Thickness of trunk and limbs relative to the average, 0.9…1.15.
        leg_length: Length of the legs relative to the average, 0.95…1.05; the trunk compensates for it.
        skin, hair: Names in ``SKIN`` and ``HAIR``.
        hair_style: One of ``HAIR_STYLES``.
        shirt, trousers, accent: Names in ``CLOTH``; accent colours shoes, gloves and caps.
        long_sleeves, long_trousers: Whether forearms and shins are covered.
        setting: A name in ``SETTINGS``.
        palette: A name in ``SETTINGS[setting]``.
        horizon: How much higher than usual the backdrop meets the ground, in pixels, -6…6.
        light: +1 if the light comes from the right, -1 from the left.
        layout: Seed of the arrangement of clouds, trees, windows and of the textures.
    """

    height: float
    build: float
    leg_length: float
    skin: str
    hair: str
    hair_style: str
    shirt: str
    trousers: str
    accent: str
    long_sleeves: bool
    long_trousers: bool
    setting: str
    palette: str
    horizon: float
    light: int
    layout: int

    def __post_init__(self) -> None:
        _check_choice(self, "setting", SETTINGS)
        _check_choice(self, "palette", SETTINGS[self.setting])
        _check_choice(self, "skin", SKIN)
        _check_choice(self, "hair", HAIR)
        _check_choice(self, "hair_style", HAIR_STYLES)
        for name in ("shirt", "trousers", "accent"):
            _check_choice(self, name, CLOTH)
        _check_choice(self, "light", (-1, 1))

    @classmethod
    def draw(cls, seed: int | np.random.Generator, place: tuple[str, str] | None = None) -> "Content":
        """Draw a person and a place, in clothes that stand out from the place.

        Args:
            seed: A seed, or a generator to draw from.
            place: Setting and palette, one of `PLACES`; drawn too if None.
        """
        generator = np.random.default_rng(seed)
        drawn = _choose(generator, PLACES)
        setting, palette = drawn if place is None else place
        colours = SETTINGS[setting][palette]
        behind = (colours.bottom, colours.far, colours.floor_far, colours.floor_near)
        visible = [name for name in CLOTH if min(colour_distance(CLOTH[name], other) for other in behind) > STANDS_OUT]
        shirt = _choose(generator, visible)
        others = [name for name in visible if colour_distance(CLOTH[name], CLOTH[shirt]) > DIFFERS]
        trousers, accent = (str(name) for name in generator.choice(others, size=2, replace=False))
        return cls(
            height=_uniform(generator, 0.94, 1.06),
            build=_uniform(generator, 0.9, 1.15),
            leg_length=_uniform(generator, 0.95, 1.05),
            skin=_choose(generator, SKIN),
            hair=_choose(generator, HAIR),
            hair_style=_choose(generator, HAIR_STYLES),
            shirt=shirt,
            trousers=trousers,
            accent=accent,
            long_sleeves=bool(generator.random() < 0.5),
            long_trousers=bool(generator.random() < 0.6),
            setting=setting,
            palette=palette,
            horizon=_uniform(generator, -6, 6),
            light=_choose(generator, (-1, 1)),
            layout=int(generator.integers(2**31)),
        )


@dataclass(frozen=True)
class Motion:
    """What is done and how, and how the camera moves at the same time.

    Args:
        class_name: A name in ``CLASSES``.
        speed: Tempo relative to the action's natural one, 0.85…1.2.
        phase: Where in its cycle the action starts, 0…1.
        amplitude: Extent of the movement relative to the natural one, 0.85…1.1.
        direction: +1 if the subject faces, moves or turns to the right, -1 to the left.
        view: Turn of the camera around the subject, in degrees, -12…12.
        pan: How far the camera sways sideways, in pixels, 0…8.
        zoom: How far the camera zooms in at most, as a fraction, 0…0.09.
        camera_phase: Where in its sway the camera starts, 0…1.
    """

    class_name: str
    speed: float
    phase: float
    amplitude: float
    direction: int
    view: float
    pan: float
    zoom: float
    camera_phase: float

    def __post_init__(self) -> None:
        _check_choice(self, "class_name", CLASSES)
        _check_choice(self, "direction", (-1, 1))
        if self.speed <= 0:
            raise ValueError(f"speed is {self.speed}; it is a tempo relative to the natural one: give a value above 0")

    @classmethod
    def draw(cls, seed: int | np.random.Generator, class_name: str | None = None) -> "Motion":
        """Draw a motion.

        Args:
            seed: A seed, or a generator to draw from.
            class_name: The action; drawn too if None. Giving it does not change the other factors.
        """
        generator = np.random.default_rng(seed)
        drawn = _choose(generator, CLASSES)
        return cls(
            class_name=drawn if class_name is None else class_name,
            speed=_uniform(generator, 0.85, 1.2),
            phase=_uniform(generator, 0, 1),
            amplitude=_uniform(generator, 0.85, 1.1),
            direction=_choose(generator, (-1, 1)),
            view=_uniform(generator, -12, 12),
            pan=_uniform(generator, 0, 8),
            zoom=_uniform(generator, 0, 0.09),
            camera_phase=_uniform(generator, 0, 1),
        )

    @property
    def period(self) -> float:
        """Duration of one cycle, in frames."""
        return PERIODS[self.class_name] / self.speed

    def cycles(self, num_frames: int) -> np.ndarray:
        """Position in the action at each frame, in cycles. Returns: (num_frames,)."""
        return self.phase + np.arange(num_frames) / self.period


def _uniform(generator: np.random.Generator, low: float, high: float) -> float:
    # Rounded so that the value written to factors.json is the value that was rendered.
    return round(float(low + (high - low) * generator.random()), 4)


def _choose(generator: np.random.Generator, choices: Iterable[_Choice]) -> _Choice:
    choices = list(choices)
    return choices[int(generator.integers(len(choices)))]


def _check_choice(factors: "Content | Motion", name: str, choices: Iterable[Any]) -> None:
    one_of(f"{type(factors).__name__}.{name}", getattr(factors, name), choices)


FACTORS = {kind.__name__.lower(): tuple(field.name for field in fields(kind)) for kind in (Content, Motion)}
