"""The explorables compute what the library computes: their scripts run in Node.js, against PyTorch and NumPy."""

import itertools
import json
import math
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

from ldvd_lib import lipschitz, losses
from ldvd_lib.blocks import LAYER_KINDS, LayerGeometry, strided_layer
from ldvd_lib.figures import explorables as pictures
from ldvd_lib.metrics import frechet_distance, kernel_distance
from ldvd_lib.widgets import explorables
from ldvd_lib.widgets._course_widget import LIVE_TYPE

ALL = [getattr(explorables, name) for name in explorables.__all__]
RANDOM = np.random.default_rng(0)

Evaluate = Callable[..., Any]


@pytest.fixture(scope="module")
def evaluate() -> Evaluate:
    """``evaluate(widget, expression, **values)``: what a JavaScript expression is in a widget's script."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the PATH; on Debian, apt-get install nodejs")

    def run(widget: type, expression: str, **values: Any) -> Any:
        given = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
        source = f"{widget._esm}\n{given}console.log(JSON.stringify({expression}));\n"
        done = subprocess.run([node, "--input-type=module"], input=source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


# What all have in common


@pytest.mark.parametrize("widget", ALL)
def test_what_it_leaves_behind_is_a_picture_and_its_controls(widget):
    data, metadata = widget()._repr_mimebundle_()
    assert data["image/png"]
    assert metadata["image/png"]["alt"].startswith("Explorable: ")
    live = json.loads(json.dumps(data[LIVE_TYPE]))
    assert live["widget"] == f"explorables.{widget.__name__}"
    again = widget(**live["state"])
    assert again.controls == widget().controls


@pytest.mark.parametrize("widget", ALL)
def test_a_value_that_no_control_can_have_is_refused(widget):
    for name, value in widget().controls.items():
        trait = widget.class_traits()[name]
        wrong = {
            traitlets.Int: lambda trait: trait.max + 1,
            traitlets.Float: lambda trait: trait.max + 1,
            traitlets.Enum: lambda trait: "else",
            traitlets.Tuple: lambda trait, value=value: (*value, 1.0),
        }[type(trait)](trait)
        with pytest.raises(traitlets.TraitError):
            widget(**{name: wrong})


@pytest.mark.parametrize("widget", ALL)
def test_no_script_needs_another_host_or_evaluates_text(widget):
    assert widget._esm.count("export default") == 1, "live.js puts a name in its place"
    for forbidden in ("http://", "https://", "import ", "eval(", "new Function", "innerHTML"):
        assert forbidden not in widget._esm.replace('"http://www.w3.org/2000/svg"', "")


# Stride


def test_what_seems_to_turn_goes_to_the_nearest_repetition(evaluate):
    cases = [[repeat, stride] for repeat in (5, 8, 13, 20, 40) for stride in range(1, 41)]
    seen = evaluate(explorables.Stride, "cases.map((each) => seenTurn(...each))", cases=cases)
    for (repeat, stride), turn in zip(cases, seen, strict=True):
        assert -0.5 <= turn <= 0.5
        left_out = turn - stride / repeat
        assert left_out == pytest.approx(round(left_out)), "whole repetitions leave no trace"
    assert evaluate(explorables.Stride, "[seenTurn(20, 2), seenTurn(20, 18)]") == pytest.approx([0.1, -0.1])


@pytest.mark.parametrize(
    ("stride", "words"),
    [
        (1, "turns forwards, as it should"),
        (10, "forwards and backwards look the same"),
        (18, "seems to turn backwards"),
        (20, "seems to stand still"),
        (22, "too slowly"),
        (30, "forwards and backwards look the same"),
    ],
)
def test_the_wheel_in_words(evaluate, stride, words):
    state = {"stride": stride, "period": 40, "spokes": 2}
    assert words in evaluate(explorables.Stride, "strideInWords(state)", state=state)


# Leash

MATRICES = RANDOM.normal(0, 1.2, (60, 4)).tolist()
MATRICES += [[1, 0, 0, 1], [0, 1, 1, 0], [2, 0, 0, 0.1], [0, 0, 0, 0], [1, 2, 2, 4]]


def test_singular_values_are_numpys_and_the_parts_make_the_matrix_again(evaluate):
    of_each = "matrices.map((each) => [singularValues(each), compose(decompose(each))])"
    found = evaluate(explorables.Leash, of_each, matrices=MATRICES)
    for matrix, (values, again) in zip(MATRICES, found, strict=True):
        np.testing.assert_allclose(values, np.linalg.svd(np.reshape(matrix, (2, 2)), compute_uv=False), atol=1e-12)
        np.testing.assert_allclose(again, matrix, atol=1e-12)


def test_the_leashes_are_the_librarys(evaluate):
    of_each = "matrices.map((each) => [LEASHES.svc(each), LEASHES.sn(each), LEASHES.weights(each, 0.3)])"
    found = evaluate(explorables.Leash, of_each, matrices=MATRICES)
    for matrix, (clipped, normalised, cut) in zip(MATRICES, found, strict=True):
        weight = torch.tensor(matrix, dtype=torch.float64).view(2, 2)
        np.testing.assert_allclose(clipped, lipschitz.clip_matrix_(weight.clone()).flatten(), atol=1e-6)
        norm = torch.linalg.matrix_norm(weight, 2)
        np.testing.assert_allclose(normalised, (weight / norm if norm else weight).flatten(), atol=1e-12)
        np.testing.assert_allclose(cut, weight.clamp(-0.3, 0.3).flatten(), atol=1e-12)


def test_only_weight_clipping_turns_the_ellipse(evaluate):
    turns = "matrices.map((each) => ['svc', 'sn', 'weights'].map((leash) => axisTurn(each, LEASHES[leash](each, 0.3))))"
    found = evaluate(explorables.Leash, turns, matrices=MATRICES)
    assert all(turn is None or abs(turn) < 1e-6 for row in found for turn in row[:2])
    assert sum(turn is not None and abs(turn) > 1 for *_, turn in found) > len(found) / 3


# Valley


def test_descent_is_pytorchs_and_leaves_the_valley_beyond_two_over_lambda(evaluate):
    for rate, steep, flat in ((0.1, 5.0, 0.2), (0.38, 5.0, 0.2), (0.42, 5.0, 0.2), (0.3, 1.0, -0.4)):
        state = {"rate": rate, "steep": steep, "flat": flat, "start": [-2.6, 1.2]}
        path = evaluate(explorables.Valley, "descend(state)", state=state)
        weights = torch.tensor(state["start"], dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.SGD([weights], lr=rate)
        for place in path:
            np.testing.assert_allclose(place, weights.detach(), rtol=1e-9)
            optimiser.zero_grad()
            (0.5 * torch.tensor([flat, steep], dtype=torch.float64) @ weights.square()).backward()
            optimiser.step()
        assert (abs(path[-1][1]) > abs(path[0][1])) == (rate > 2 / steep)
        assert (abs(path[-1][0]) > abs(path[0][0])) == (flat < 0)


def test_the_lines_of_the_valley_are_of_equal_loss(evaluate):
    for flat in (0.3, 1.0, -0.4):
        for line in evaluate(explorables.Valley, "contours(state)", state={"steep": 5, "flat": flat}):
            x, y = np.transpose(line)
            heights = flat * x**2 + 5 * y**2
            np.testing.assert_allclose(heights, heights[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0.1, "without overshooting"), (0.3, "overshoots from wall"), (0.4, "for ever"), (0.41, "leaves the valley")],
)
def test_the_valley_in_words(evaluate, rate, words):
    state = {"rate": rate, "steep": 5, "flat": 0.2}
    assert words in evaluate(explorables.Valley, "valleyInWords(state)", state=state)
    assert "saddle" in evaluate(explorables.Valley, "valleyInWords(state)", state=state | {"flat": -0.2})


# The Dirac-GAN

STARTS = [[1.2, 0.0], [-0.7, 1.9], [0.3, -0.9], [2.0, 2.0]]


def played(start: list[float], game: str, loss: str, rate: float, penalty: float) -> list[float]:
    """A round with the library's losses, R1 and SVC."""
    theta, critic = (torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in start)
    real = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    players = losses.get(loss)
    value = players.discriminator(critic * real, critic * theta.detach())
    if game == "r1":
        value = value + penalty * losses.squared_gradient(critic * real, (real,))
    (slope,) = torch.autograd.grad(value, critic)
    moved = (critic - rate * slope).detach()
    if game == "svc":
        moved = lipschitz.clip_matrix_(moved[:, None])[:, 0]
    seen = critic.detach() if game == "simultaneous" else moved
    (slope,) = torch.autograd.grad(players.generator(seen * theta), theta)
    return [(theta - rate * slope).item(), moved.item()]


@pytest.mark.parametrize("game", ["simultaneous", "alternating", "svc", "r1", "average"])
@pytest.mark.parametrize("loss", ["wasserstein", "non-saturating"])
def test_a_round_is_played_as_the_library_would(evaluate, game, loss):
    state = {"game": game, "loss": loss, "rate": 0.3, "penalty": 0.6}
    found = evaluate(explorables.DiracGAN, "starts.map((start) => playRound(start, state))", starts=STARTS, state=state)
    for start, place in zip(STARTS, found, strict=True):
        np.testing.assert_allclose(place, played(start, **state), atol=1e-6)


def test_orbits_keep_what_mathematics_says_they_keep(evaluate):
    """Wasserstein: simultaneous play grows by √(1 + η²) a round; alternating play keeps θ² + ψ² - ηθψ; R1 shrinks."""
    rate, common = 0.2, {"loss": "wasserstein", "rate": 0.2, "penalty": 0.5, "start": [1.2, 0.4]}

    def places(game: str) -> np.ndarray:
        return np.array(evaluate(explorables.DiracGAN, "orbit(state).places", state=common | {"game": game})).T

    theta, psi = places("simultaneous")
    radii = np.hypot(theta, psi)
    np.testing.assert_allclose(radii[1:] / radii[:-1], math.sqrt(1 + rate**2))
    theta, psi = places("alternating")
    kept = theta**2 + psi**2 - rate * theta * psi
    np.testing.assert_allclose(kept, kept[0])
    theta, psi = places("svc")
    assert np.abs(psi[1:]).max() <= 1
    theta, psi = places("r1")
    assert np.hypot(theta, psi)[-1] < 1e-3


def test_the_average_is_an_exponential_one(evaluate):
    state = {"game": "average", "loss": "wasserstein", "rate": 0.1, "penalty": 0.5, "start": [1.2, 0.0]}
    found = evaluate(explorables.DiracGAN, "[orbit(state), DECAY]", state=state)
    places, decay = np.array(found[0]["places"]), found[1]
    weights = (1 - decay) * decay ** np.arange(len(places) - 1)[::-1]
    expected = weights @ places[1:] + decay ** (len(places) - 1) * places[0]
    np.testing.assert_allclose(found[0]["averages"][-1], expected)


@pytest.mark.parametrize(
    ("game", "words"),
    [("simultaneous", "outwards"), ("alternating", "round and round"), ("svc", "round and round"), ("r1", "inwards")],
)
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_the_orbit_in_words(evaluate, game, words, rate):
    state = {"game": game, "loss": "wasserstein", "rate": rate, "penalty": 0.5, "start": [1.2, 0], "rounds": 120}
    assert words in evaluate(explorables.DiracGAN, "orbitInWords(state, orbit(state))", state=state)


# Clouds

CLOUDS = [
    {"count": 5, "centre": [1.0, 0.5], "spread": 1.0},
    {"count": 100, "centre": [-2.0, 0.0], "spread": 0.3},
    {"count": 400, "centre": [0.0, 0.0], "spread": 0.0},
]


@pytest.mark.parametrize("state", CLOUDS)
def test_distances_of_samples_are_the_librarys(evaluate, state):
    found = evaluate(explorables.Cloud, "[samplesOf(7, state), measure(7, state)]", state=state)
    real, made = (torch.tensor(found[0][name], dtype=torch.float64) for name in ("real", "made"))
    assert real.shape == made.shape == (state["count"], 2)
    assert found[1]["frechet"] == pytest.approx(frechet_distance(made, real), rel=1e-6, abs=1e-6)
    assert found[1]["kernel"] == pytest.approx(kernel_distance(made, real), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("state", CLOUDS)
def test_true_distances_are_those_of_the_distributions(evaluate, state):
    """By Gauss-Hermite quadrature, which is exact for polynomials of such degrees."""
    truth = evaluate(explorables.Cloud, "trueDistances(state)", state=state)
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    grid = np.array(list(itertools.product(nodes, nodes)))
    share = np.array([a * b for a, b in itertools.product(weights, weights)]) / weights.sum() ** 2
    made = state["spread"] * grid + np.array(state["centre"])
    mean = [[share @ (a @ b.T / 2 + 1) ** 3 @ share for b in (grid, made)] for a in (grid, made)]
    assert truth["kernel"] == pytest.approx(mean[0][0] + mean[1][1] - 2 * mean[0][1], rel=1e-9, abs=1e-9)
    assert truth["frechet"] == pytest.approx(np.square(state["centre"]).sum() + 2 * (1 - state["spread"]) ** 2)


def test_few_samples_raise_the_frechet_distance_and_not_the_kernel_distance(evaluate):
    state = {"count": 10, "centre": [0.0, 0.0], "spread": 1.0}
    found = evaluate(explorables.Cloud, "range(DRAWS).map((draw) => measure(draw, state))", state=state)
    for name, is_biased in (("frechet", True), ("kernel", False)):
        values = np.array([each[name] for each in found])
        error = values.std(ddof=1) / math.sqrt(len(values))
        assert (values.mean() > 5 * error) == is_biased
        assert values.mean() > -3 * error


def test_the_points_are_normal_and_independent(evaluate):
    points = np.array(evaluate(explorables.Cloud, "range(DRAWS).map(pointsOf)")).reshape(-1, 2)
    assert np.abs(points.mean(0)).max() < 4 / math.sqrt(len(points))
    assert np.abs(np.cov(points.T) - np.eye(2)).max() < 6 / math.sqrt(len(points))
    within = [(np.abs(points) < bound).mean() for bound in (0.5, 1, 2, 3)]
    assert within == pytest.approx([math.erf(bound / math.sqrt(2)) for bound in (0.5, 1, 2, 3)], abs=0.005)
    following = points[:-1, 0] * points[1:, 0]
    assert abs(following.mean()) < 4 / math.sqrt(len(following))
    assert len(np.unique(points)) == points.size


# Dye

STACKS = [("3d",) * 4, ("2+1d", "2+1d", "2d", "2d"), ("shift", "shift", "shift", "2d"), ("2d",) * 4, ("shift", "3d")]


@pytest.mark.parametrize("kinds", STACKS)
def test_the_dye_is_the_gradient_through_layers_that_take_means(evaluate, kinds):
    layers = []
    for kind, before in zip(kinds, (4, 8, 8, 8), strict=False):
        layer = strided_layer(kind, before, 8, geometry=LayerGeometry()).double()
        for part in layer:
            if isinstance(part, nn.Conv3d):
                nn.init.constant_(part.weight, 1 / part.weight[0].numel())
        layers.append(layer)
    clip = torch.ones(1, 4, 16, 32, 32, dtype=torch.float64, requires_grad=True)
    last = nn.Sequential(*layers)(clip)
    time, across = last.shape[2] // 2, last.shape[3] // 2
    (gradient,) = torch.autograd.grad(last[0, :, time, across, across].mean(), clip)
    expected = gradient[0].sum(0)  # (T, H, W)
    state = {"kinds": kinds, "layers": len(kinds), "place": time}
    found = evaluate(explorables.Dye, "(({ inTime, inSpace }) => [inTime[0], inSpace[0]])(shownOf(state))", state=state)
    in_time, in_space = (np.array(values) for values in found)
    np.testing.assert_allclose(expected, np.einsum("t,y,x->tyx", in_time, in_space, in_space), atol=1e-9)


@pytest.mark.parametrize("kinds", STACKS)
def test_weights_are_those_of_the_layers(evaluate, kinds):
    channels = (3, 64, 128, 256, 512)
    with torch.device("meta"):
        layers = [strided_layer(k, *channels[i : i + 2], geometry=LayerGeometry()) for i, k in enumerate(kinds)]
    expected = sum(parameter.numel() for layer in layers for parameter in layer.parameters())
    assert evaluate(explorables.Dye, "weightsOf(kinds)", kinds=kinds) == expected


def test_the_kinds_are_the_librarys(evaluate):
    assert evaluate(explorables.Dye, "Object.keys(KINDS)") == list(LAYER_KINDS) == list(explorables.Dye.c0.values)


# The still pictures are drawn by Python, and show the same


def test_the_still_picture_of_the_leash_has_the_same_half_axes(evaluate):
    for leash in ("svc", "sn", "weights"):
        state = explorables.Leash(leash=leash).controls
        both = "[state.matrix, LEASHES[state.leash](state.matrix, state.bound)].flatMap(singularValues)"
        _, right = pictures.plot_leash(**state).axes
        lengths = [bar.get_width() for bar in right.patches]
        assert lengths == pytest.approx(evaluate(explorables.Leash, both, state=state))


def test_the_still_picture_of_the_valley_has_the_same_path(evaluate):
    state = explorables.Valley().controls
    left, _ = pictures.plot_valley(**state).axes
    np.testing.assert_allclose(left.lines[0].get_xydata(), evaluate(explorables.Valley, "descend(state)", state=state))


@pytest.mark.parametrize("game", ["simultaneous", "alternating", "svc", "r1", "average"])
def test_the_still_picture_of_the_orbit_has_the_same_path(evaluate, game):
    for loss in ("wasserstein", "non-saturating"):
        state = explorables.DiracGAN(game=game, loss=loss).controls
        path = "averages" if game == "average" else "places"
        expected = evaluate(explorables.DiracGAN, f"orbit(state, state.rounds).{path}", state=state)
        left, _ = pictures.plot_orbit(**state).axes
        drawn = [line.get_xydata() for line in left.lines if len(line.get_xdata()) > 1]
        np.testing.assert_allclose(drawn[-1], expected)


@pytest.mark.parametrize("kinds", STACKS)
def test_the_still_picture_of_the_dye_has_the_same_dye(evaluate, kinds):
    state = {"kinds": kinds, "layers": len(kinds), "place": 3}
    expected = evaluate(explorables.Dye, "shownOf(state).inTime", state=state)
    drawn = [np.asarray(axes.images[0].get_array())[0] for axes in pictures.plot_dye(kinds, place=3).axes]
    for one, other in zip(reversed(drawn), expected, strict=True):
        np.testing.assert_allclose(one, other)


def test_the_still_picture_of_the_wheel_seems_to_turn_the_same_way(evaluate):
    for stride in (1, 7, 18, 22, 33):
        state = explorables.Stride(stride=stride).controls
        turn = evaluate(explorables.Stride, "seenTurn(state.period / state.spokes, state.stride)", state=state)
        axes = next(axes for axes in pictures.plot_stride(**state).axes if axes.get_xlabel() == "frame")
        times, heights = axes.lines[1].get_data()
        np.testing.assert_allclose(heights, np.cos(2 * np.pi * turn * times / stride), atol=1e-9)


def test_the_still_picture_of_the_clouds_shows_so_many_points():
    axes = pictures.plot_cloud(count=12, centre=(1.0, 0.5), spread=0.5, draw=3, draws=5).axes[0]
    assert [len(collection.get_offsets()) for collection in axes.collections] == [12, 12]
