"""Still pictures of the explorables, for where there is no browser to draw them: `ldvd_lib.widgets.explorables`."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _ORANGE = "#0072b2", "#d55e00"  # as in the widgets
_WINDOW = 16  # frames that a network takes


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plot_stride(stride: int, period: int, spokes: int, frame: int) -> "Figure":
    """A wheel as it turns, and as it is seen at a stride.

    Args:
        stride: frames from one that is kept to the next.
        period: frames of one turn.
        spokes: spokes of the wheel, all alike.
        frame: number of the kept frame on show, from 0.

    Returns:
        A figure: the wheel at that frame, and at that kept frame; below, how high a spoke stands over time.
    """
    figure = _figure(7.6, 3.6)
    panels = figure.subplot_mosaic([["each", "kept"], ["time", "time"]], height_ratios=(1.5, 1))
    for name, now, colour, title in (
        ("each", frame, _BLUE, "every frame"),
        ("kept", frame * stride, _ORANGE, f"at stride {stride}"),
    ):
        turns = 2 * np.pi * (now / period + np.arange(spokes) / spokes)
        angle = np.linspace(0, 2 * np.pi, 200)
        panels[name].plot(np.sin(angle), np.cos(angle), color="tab:gray")
        for x, y in zip(np.sin(turns), np.cos(turns), strict=True):
            panels[name].plot([0, x], [0, y], "-o", color=colour, linewidth=3, markevery=[1])
        panels[name].set(title=title, aspect="equal")
        panels[name].axis("off")
    times, kept = np.linspace(0, (_WINDOW - 1) * stride, 801), np.arange(_WINDOW) * stride
    repeat = period / spokes
    seen = stride / repeat - np.floor(stride / repeat + 0.5)
    panels["time"].plot(times, np.cos(2 * np.pi * times / repeat), color=_BLUE, label="how it moves")
    label = f"what {_WINDOW} kept frames look like"
    panels["time"].plot(times, np.cos(2 * np.pi * seen * times / stride), "--", color=_ORANGE, label=label)
    panels["time"].plot(kept, np.cos(2 * np.pi * kept / repeat), "o", color=_ORANGE, markersize=4)
    panels["time"].set(xlabel="frame", ylabel="height of a spoke", yticks=(), ylim=(-1.25, 1.25))
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure


def plot_leash(matrix: tuple[float, float, float, float], leash: str, bound: float) -> "Figure":
    """What a 2×2 matrix makes of the unit circle, free and on a leash.

    Args:
        matrix: row by row.
        leash: ``"svc"``, ``"sn"`` or ``"weights"``.
        bound: to which weights are clipped by the last.

    Returns:
        A figure: both ellipses with their half axes, and how long these are.
    """
    free = np.array(matrix).reshape(2, 2)
    u, s, vh = np.linalg.svd(free)
    bounded = {
        "svc": u @ np.diag(s.clip(max=1)) @ vh,
        "sn": free / max(s[0], 1e-12),
        "weights": free.clip(-bound, bound),
    }[leash]
    figure = _figure(7.6, 3.6)
    left, right = figure.subplots(1, 2)
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    left.plot(*circle, "--", color="tab:gray", label="the unit circle")
    rows = []
    for each, colour, label in ((free, _BLUE, "after W"), (bounded, _ORANGE, "after W on its leash")):
        u, s, _ = np.linalg.svd(each)
        left.plot(*(each @ circle), color=colour, label=label)
        for axis, length in zip(u.T, s, strict=True):
            left.plot([0, length * axis[0]], [0, length * axis[1]], color=colour)
        rows += [(f"σ{'₁₂'[number]} {label}", length, colour) for number, length in enumerate(s)]
    left.set(aspect="equal", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    left.legend(fontsize=7, loc="lower right")
    for place, (_, length, colour) in enumerate(rows):
        right.barh(-place, length, color=colour)
        right.text(length + 0.03, -place, f"{length:.2f}", va="center", fontsize=8)
    right.axvline(1, linestyle=":", color="tab:gray")
    right.set_yticks([-place for place in range(len(rows))], [label for label, *_ in rows])
    right.set_title("how far it stretches")
    right.margins(x=0.15)
    return figure


def plot_valley(rate: float, steep: float, flat: float, start: tuple[float, float], steps: int = 30) -> "Figure":
    """Gradient descent on ½(flat·x² + steep·y²).

    Args:
        rate: the learning rate.
        steep: curvature up and down.
        flat: curvature along the floor, below 0 at a saddle.
        start: where it begins, (x, y).
        steps: how many.

    Returns:
        A figure: the path from above, and the distance along each axis over the steps.
    """
    factors = 1 - rate * np.array([flat, steep])
    path = np.array(start) * factors ** np.arange(steps + 1)[:, None]
    figure = _figure(7.6, 3.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    x, y = np.meshgrid(np.linspace(-3.2, 3.2, 161), np.linspace(-2, 2, 101))
    left.contour(x, y, (flat * x**2 + steep * y**2) / 2, levels=10, colors="lightgray")
    left.plot(*path.T, "-o", color=_ORANGE, markersize=3)
    left.plot(0, 0, "+", color="black", markersize=10)
    left.set(xlim=(-3.2, 3.2), ylim=(-2, 2), title="the valley from above", xlabel="along the floor")
    right.semilogy(np.abs(path[:, 1]), color=_ORANGE, label="up and down the steep walls")
    right.semilogy(np.abs(path[:, 0]), "--", color=_BLUE, label="along the floor")
    right.set(title=f"η = {rate:.2f}, 2/λ = {2 / steep:.2f}", xlabel="step", ylabel="distance from the middle")
    right.set_ylim(1e-4, 1e2)
    right.legend(fontsize=8)
    return figure


def plot_orbit(
    game: str, loss: str, rate: float, penalty: float, rounds: int, start: tuple[float, float], decay: float = 0.98
) -> "Figure":
    """The path of the Dirac-GAN: data at 0, a generator of the number θ, a critic ψ·x.

    Args:
        game: ``"simultaneous"``, ``"alternating"``, ``"svc"``, ``"r1"`` or ``"average"``.
        loss: ``"wasserstein"`` or ``"non-saturating"``.
        rate: learning rate of both.
        penalty: weight of R1: of the square of the critic's slope, which is ψ.
        rounds: how many rounds are played.
        start: (θ, ψ) in the beginning.
        decay: of the average of the weights.

    Returns:
        A figure: the path in the plane of θ and ψ, and the distance from (0, 0) over the rounds.
    """
    places = [np.array(start)]
    averages = [np.array(start)]
    for _ in range(rounds):
        theta, psi = places[-1]
        down = theta if loss == "wasserstein" else theta / (1 + np.exp(-theta * psi))
        moved = psi - rate * (down + (2 * penalty * psi if game == "r1" else 0))
        moved = np.clip(moved, -1, 1) if game == "svc" else moved
        seen = psi if game == "simultaneous" else moved
        up = seen if loss == "wasserstein" else seen / (1 + np.exp(theta * seen))
        places.append(np.array([theta + rate * up, moved]))
        averages.append(decay * averages[-1] + (1 - decay) * places[-1])
    figure = _figure(7.6, 3.6)
    left, right = figure.subplots(1, 2)
    shown = [(np.array(places), _ORANGE, "the two players")]
    if game == "average":
        shown.append((np.array(averages), _BLUE, "their average"))
    for path, colour, label in shown:
        left.plot(*path.T, color=colour, label=label, linewidth=1)
        left.plot(*path[-1], "o", color=colour)
        right.plot(np.hypot(*path.T), color=colour)
    left.plot(0, 0, "+", color="black", markersize=10)
    left.set(aspect="equal", xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), xlabel="θ", ylabel="ψ", title=game)
    left.legend(fontsize=8, loc="lower right")
    right.set(xlabel="round", title="distance from where both could rest", ylim=(0, None))
    return figure


def plot_cloud(count: int, centre: tuple[float, float], spread: float, draw: int, draws: int = 60) -> "Figure":
    """Two clouds of points, and two distances between them from so many samples.

    Args:
        count: samples of each cloud.
        centre: middle of the generated one; the real one is N(0, I).
        spread: standard deviation of the generated one.
        draw: which draw of samples is shown.
        draws: how many are measured.

    Returns:
        A figure: both clouds, and the Fréchet and the kernel distance of every draw.
    """
    import torch

    from ldvd_lib.metrics import frechet_distance, kernel_distance

    estimates: dict[str, list[float]] = {"Fréchet distance": [], "kernel distance (MMD²)": []}
    figure = _figure(7.6, 3.6)
    panels = figure.subplot_mosaic([["clouds", "Fréchet distance"], ["clouds", "kernel distance (MMD²)"]])
    for number in range(draws):
        random = np.random.default_rng(number)
        real, made = random.standard_normal((2, count, 2))
        made = spread * made + np.array(centre)
        if number == draw:
            for points, colour, label in ((real, _BLUE, "real"), (made, _ORANGE, "generated")):
                panels["clouds"].scatter(points[:, 0], points[:, 1], s=6, color=colour, alpha=0.6, label=label)
        pair = torch.from_numpy(made), torch.from_numpy(real)
        estimates["Fréchet distance"].append(frechet_distance(*pair))
        estimates["kernel distance (MMD²)"].append(kernel_distance(*pair))
    panels["clouds"].set(aspect="equal", xlim=(-4, 4), ylim=(-4, 4), title=f"{count} samples of each")
    panels["clouds"].legend(fontsize=8, loc="lower right")
    for name, colour in zip(estimates, (_ORANGE, _BLUE), strict=True):
        panels[name].hist(estimates[name], bins=15, color=colour, alpha=0.6)
        panels[name].axvline(float(np.mean(estimates[name])), color=colour)
        panels[name].set(title=f"{name}, {draws} draws", yticks=())
    moved = float(np.square(centre).sum())
    panels["Fréchet distance"].axvline(moved + 2 * (1 - spread) ** 2, color="black", linestyle="--", label="the truth")
    panels["Fréchet distance"].legend(fontsize=8)
    return figure


def plot_dye(kinds: tuple[str, ...], place: int, frames: int = 16) -> "Figure":
    """Which frames reach a place behind these layers, and how much of each, if all kernels take means.

    Args:
        kinds: of the layers, as `ldvd_lib.blocks.LAYER_KINDS`.
        place: the place in time in the last map; the last one there is, if it has fewer.
        frames: of the clip.

    Returns:
        A figure: the dye in each map, layer by layer.
    """
    lengths = [frames]
    for kind in kinds:
        lengths.append(lengths[-1] // 2 if kind in ("3d", "2+1d") else lengths[-1])
    dye = np.zeros(lengths[-1])
    dye[min(place, lengths[-1] - 1)] = 1
    maps = [dye]
    for kind, length in zip(reversed(kinds), reversed(lengths[:-1]), strict=True):
        if kind in ("3d", "2+1d"):  # a kernel of four frames at stride 2, over frames with one of zeros at either end
            before = np.zeros(length + 2)
            for tap in range(4):
                before[tap : tap + 2 * len(maps[0]) - 1 : 2] += maps[0] / 4
            maps.insert(0, before[1:-1])
        elif kind == "shift":
            maps.insert(0, np.convolve(maps[0], [0.25, 0.5, 0.25], "same"))
        else:
            maps.insert(0, maps[0])
    figure = _figure(7.6, 0.6 + 0.5 * len(maps))
    names = ("clip", *(f"c{number}: {kind}" for number, kind in enumerate(kinds)))
    for panel, dye, name in zip(figure.subplots(len(maps), 1), reversed(maps), reversed(names), strict=True):
        panel.imshow(dye[None], aspect="auto", cmap="Oranges", vmin=0)
        panel.set(xticks=(), yticks=())
        panel.set_ylabel(name, rotation=0, ha="right", va="center")
    panel.set_xlabel(f"{frames} frames")
    return figure
