"""Explorables: one idea each, under the finger. All that moves is computed and drawn in the browser.

They need no data and no kernel, so that the website shows them alive: what a notebook stores of one says which it is
and how its controls stood (`CourseWidget._live`), and the site puts the same script there.
"""

from typing import TYPE_CHECKING, Any

import traitlets

from ldvd_lib.figures import explorables as pictures
from ldvd_lib.widgets._course_widget import CourseWidget, png, script, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Cloud", "DiracGAN", "Dye", "Leash", "Stride", "Valley"]


def _numbers(*first: float) -> traitlets.Tuple:
    """A trait of so many numbers, with what they are in the beginning."""
    return traitlets.Tuple(*(traitlets.Float() for _ in first), default_value=first).tag(sync=True)


class _Explorable(CourseWidget):
    """A few controls, which are the synchronised traits, and a drawing that answers to them."""

    _css = style("explorables.css")

    @property
    def controls(self) -> dict[str, Any]:
        """Control → value, as the browser has them."""
        common = (*CourseWidget.class_trait_names(), "_esm", "_css", "_anywidget_id")
        return {name: getattr(self, name) for name in self.trait_names(sync=True) if name not in common}

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.controls.items())
        return f"{type(self).__name__}({values})"

    def _live(self) -> dict[str, Any]:
        return {"widget": f"explorables.{type(self).__name__}", "state": self.controls}

    def _picture(self) -> "Figure":
        """The drawing as a figure."""
        raise NotImplementedError

    def _alternative(self) -> str:
        """What the drawing shows, in a sentence."""
        raise NotImplementedError

    def _still_picture(self) -> tuple[bytes, str]:
        return png(self._picture()), self._alternative()


class Stride(_Explorable):
    """A turning wheel of which only some frames are kept: from which stride on does it seem to turn backwards?

    Attributes:
        stride: frames from one that is kept to the next, 1 to 40.
        period: frames of one turn, 8 to 80.
        spokes: spokes of the wheel, all alike, 1 to 6.
        frame: which of the 16 kept frames is on show, from 0.
    """

    _esm = script("explorable.js", "stride.js")

    stride = traitlets.Int(18, min=1, max=40).tag(sync=True)
    period = traitlets.Int(40, min=8, max=80).tag(sync=True)
    spokes = traitlets.Int(2, min=1, max=6).tag(sync=True)
    frame = traitlets.Int(2, min=0, max=15).tag(sync=True)

    def _picture(self) -> "Figure":
        return pictures.plot_stride(**self.controls)

    def _alternative(self) -> str:
        return (
            f"Explorable: a wheel of {self.spokes} spokes that takes {self.period} frames for a turn, and what is seen "
            f"of it if only every frame number {self.stride} is kept."
        )


class Leash(_Explorable):
    """The ellipse that a 2×2 matrix makes of the unit circle, and what becomes of it on three leashes.

    Attributes:
        matrix: its four numbers, row by row.
        leash: ``"svc"`` (singular value clipping), ``"sn"`` (spectral normalisation) or ``"weights"`` (their
            clipping).
        bound: to which weights are clipped, 0.1 to 1.
    """

    _esm = script("explorable.js", "leash.js")

    matrix = _numbers(1.6, 0.9, -0.3, 0.7)
    leash = traitlets.Enum(("svc", "sn", "weights"), "svc").tag(sync=True)
    bound = traitlets.Float(0.5, min=0.1, max=1).tag(sync=True)

    def _picture(self) -> "Figure":
        return pictures.plot_leash(**self.controls)

    def _alternative(self) -> str:
        names = {"svc": "singular value clipping", "sn": "spectral normalisation", "weights": "weight clipping"}
        leash = names[self.leash]
        return f"Explorable: the ellipse of a 2 by 2 matrix, and what {leash} makes of it."


class Valley(_Explorable):
    """Gradient descent in a valley of two curvatures: what a learning rate has to do with 2/λ.

    Attributes:
        rate: the learning rate, 0.01 to 1.
        steep: the curvature across the valley, 1 to 10.
        flat: the curvature along its floor, -0.4 to 1; below 0 it is a saddle.
        start: where it begins, (along the floor, across).
    """

    _esm = script("explorable.js", "valley.js")

    rate = traitlets.Float(0.38, min=0.01, max=1).tag(sync=True)
    steep = traitlets.Float(5.0, min=1, max=10).tag(sync=True)
    flat = traitlets.Float(0.2, min=-0.4, max=1).tag(sync=True)
    start = _numbers(-2.6, 1.2)

    def _picture(self) -> "Figure":
        return pictures.plot_valley(**self.controls)

    def _alternative(self) -> str:
        return (
            f"Explorable: gradient descent at rate {self.rate:g} in a valley with curvatures {self.steep:g} and "
            f"{self.flat:g}; 2/λ is {2 / self.steep:.3g}."
        )


class DiracGAN(_Explorable):
    """The smallest GAN: real data at 0, a generator of one number θ, a critic ψ·x. Do the two come to rest?

    Source: Mescheder, Geiger and Nowozin 2018, "Which Training Methods for GANs do actually Converge?".

    Attributes:
        game: ``"simultaneous"``; ``"alternating"``, and that with ``"svc"``, with ``"r1"``, or with its ``"average"``.
        loss: ``"wasserstein"`` or ``"non-saturating"``.
        rate: learning rate of both, 0.02 to 0.5.
        penalty: weight of R1, 0.1 to 1.
        rounds: how many are shown, 0 to 400.
        start: (θ, ψ) in the beginning.
    """

    _esm = script("explorable.js", "dirac_gan.js")

    game = traitlets.Enum(("simultaneous", "alternating", "svc", "r1", "average"), "simultaneous").tag(sync=True)
    loss = traitlets.Enum(("wasserstein", "non-saturating"), "wasserstein").tag(sync=True)
    rate = traitlets.Float(0.1, min=0.02, max=0.5).tag(sync=True)
    penalty = traitlets.Float(0.5, min=0.1, max=1).tag(sync=True)
    rounds = traitlets.Int(120, min=0, max=400).tag(sync=True)
    start = _numbers(1.2, 0.0)

    def _picture(self) -> "Figure":
        return pictures.plot_orbit(**self.controls)

    def _alternative(self) -> str:
        return (
            f"Explorable: {self.rounds} rounds of a GAN of two numbers, played as {self.game}: its path in their plane."
        )


class Cloud(_Explorable):
    """Two clouds of points in the plane, and what a Fréchet and a kernel distance make of so many samples.

    Attributes:
        count: samples of each cloud, 5 to 400.
        spread: standard deviation of the generated cloud, 0 to 2; the real one has 1.
        centre: middle of the generated cloud; the real one has (0, 0).
        draw: which samples are shown, 0 to 59.
    """

    _esm = script("explorable.js", "cloud.js")

    count = traitlets.Int(20, min=5, max=400).tag(sync=True)
    spread = traitlets.Float(1.0, min=0, max=2).tag(sync=True)
    centre = _numbers(1.0, 0.5)
    draw = traitlets.Int(0, min=0, max=59).tag(sync=True)

    def _picture(self) -> "Figure":
        return pictures.plot_cloud(**self.controls)

    def _alternative(self) -> str:
        return (
            f"Explorable: a cloud of {self.count} real points and one of as many generated ones, with the Fréchet "
            "distance and the kernel distance that many draws of samples give."
        )


_KINDS = ("3d", "2+1d", "2d", "shift")


class Dye(_Explorable):
    """Which frames and pixels of a clip reach a place behind layers of each kind, and how much of each.

    Attributes:
        c0, c1, c2, c3: kinds of the four layers, as `ldvd_lib.blocks.LAYER_KINDS`.
        layers: after how many of them one looks, 0 to 4.
        place: the place in time, from 0; the last one there is, if the map is shorter.
    """

    _esm = script("explorable.js", "dye.js")

    layers = traitlets.Int(2, min=0, max=4).tag(sync=True)
    c0 = traitlets.Enum(_KINDS, "3d").tag(sync=True)
    c1 = traitlets.Enum(_KINDS, "3d").tag(sync=True)
    c2 = traitlets.Enum(_KINDS, "3d").tag(sync=True)
    c3 = traitlets.Enum(_KINDS, "3d").tag(sync=True)
    place = traitlets.Int(2, min=0, max=15).tag(sync=True)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the layers that are looked through."""
        return (self.c0, self.c1, self.c2, self.c3)[: self.layers]

    def _picture(self) -> "Figure":
        return pictures.plot_dye(self.kinds, self.place)

    def _alternative(self) -> str:
        layers = ", ".join(self.kinds) or "no layers"
        return f"Explorable: which of 16 frames reach a place behind {layers}, layer by layer."
