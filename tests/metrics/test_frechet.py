"""The Fréchet distance against closed forms, scipy's matrix square root, torchmetrics and torch-fidelity."""

import math

import mpmath
import numpy as np
import pytest
import safetensors.torch
import scipy.linalg
import torch
from torch import Tensor

from ldvd_lib.metrics import GaussianStatistics, frechet_distance
from ldvd_lib.metrics.frechet import nuclear_norm


def features(n: int, d: int, *, seed: int = 0, shift: float = 0.0) -> Tensor:
    """Correlated features with spread that differs by feature."""
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=random, dtype=torch.float64) * torch.linspace(0.1, 2, d, dtype=torch.float64)
    return torch.randn(n, d, generator=random, dtype=torch.float64) @ mixing + shift


def by_matrix_square_root(first: Tensor, second: Tensor) -> float:
    """The definition, by scipy."""
    first, second = first.numpy(), second.numpy()
    root = scipy.linalg.sqrtm(np.cov(first, rowvar=False) @ np.cov(second, rowvar=False))
    trace = np.trace(np.cov(first, rowvar=False) + np.cov(second, rowvar=False) - 2 * root.real)
    return float(((first.mean(0) - second.mean(0)) ** 2).sum() + trace)


@pytest.mark.parametrize(("n", "m", "d"), [(200, 300, 8), (90, 1000, 40), (65, 66, 64)])
def test_it_is_the_matrix_square_roots(n, m, d):
    first, second = features(n, d), features(m, d, seed=1, shift=0.3)
    # With hardly more samples than features scipy's root is itself off by 1e-9, by how much depends on the machine.
    assert frechet_distance(first, second) == pytest.approx(by_matrix_square_root(first, second), rel=1e-8)


@pytest.mark.parametrize(("n", "m", "d"), [(10, 12, 50), (10, 120, 50), (2, 3, 7), (8, 8, 8)])
def test_fewer_samples_than_features_are_exact(n, m, d):
    """Against the same in 40 digits, from the n × n matrix with the eigenvalues, other than 0, of C₁C₂."""
    first, second = features(n, d), features(m, d, seed=1, shift=0.3)
    with mpmath.workdps(40):
        a, b = (mpmath.matrix((x - x.mean(0)).tolist()) for x in (first, second))
        product = a * b.T
        eigenvalues = mpmath.eigsy(product * product.T, eigvals_only=True)
        overlap = sum(mpmath.sqrt(max(value, 0)) for value in eigenvalues) / mpmath.sqrt((n - 1) * (m - 1))
    traces = first.var(0).sum() + second.var(0).sum()
    expected = ((first.mean(0) - second.mean(0)).square().sum() + traces).item() - 2 * float(overlap)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-12)
    # From the covariances, which are singular, too.
    from_covariances = frechet_distance(GaussianStatistics.of(first), GaussianStatistics.of(second))
    assert from_covariances == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e5, 1e9, 1e14, float("inf")])
@pytest.mark.parametrize("shape", [(30, 30), (20, 50), (50, 20)])
def test_nuclear_norm_whatever_the_condition(condition, shape):
    rank = min(shape)
    values = torch.logspace(0, -math.log10(condition), rank, dtype=torch.float64) if condition < math.inf else None
    values = torch.cat([torch.ones(3), torch.zeros(rank - 3)]).double() if values is None else values
    left, right = (torch.linalg.qr(features(n, n, seed=n)).Q[:, :rank] for n in shape)
    assert nuclear_norm((left * values) @ right.T).item() == pytest.approx(values.sum().item(), rel=1e-12)


def test_closed_form_for_gaussians_with_common_axes():
    """Σ (Δμ)² + (σ₁ − σ₂)², with some directions empty in one or both."""
    d = 20
    random = torch.Generator().manual_seed(4)
    axes = torch.linalg.qr(torch.randn(d, d, generator=random, dtype=torch.float64)).Q
    sigmas = torch.rand(2, d, generator=random, dtype=torch.float64) * torch.logspace(-3, 2, d, dtype=torch.float64)
    sigmas[0, :6] = sigmas[1, 4:9] = 0
    means = torch.randn(2, d, generator=random, dtype=torch.float64)
    first, second = (
        GaussianStatistics(1000, mean, axes @ (sigma.square()[:, None] * axes.T))
        for mean, sigma in zip(means, sigmas, strict=True)
    )
    expected = (means[0] - means[1]).square().sum() + (sigmas[0] - sigmas[1]).square().sum()
    assert frechet_distance(first, second) == pytest.approx(expected.item(), rel=1e-8)


@pytest.mark.parametrize("columns", ["copied", "constant"])
def test_useless_features_change_nothing_but_what_they_must(columns):
    """Singular covariances in spite of many samples: features that are always 0, and features that occur twice."""
    first, second = features(200, 10), features(150, 10, seed=1)
    distance = frechet_distance(first, second)
    if columns == "copied":
        first, second, distance = torch.cat([first, first], 1), torch.cat([second, second], 1), 2 * distance
    else:
        first, second = (torch.cat([x, torch.full((len(x), 5), 7.0)], 1) for x in (first, second))
    assert frechet_distance(first, second) == pytest.approx(distance, rel=1e-8)


@pytest.mark.parametrize("n", [5, 500])
def test_it_is_a_distance(n):
    first, second = features(n, 20), features(n, 20, seed=1)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-10 * first.var(0).sum().item())
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-10)
    assert frechet_distance(first, first + 2) == pytest.approx(4 * 20, rel=1e-10)
    rotation = torch.linalg.qr(features(20, 20, seed=5)).Q
    assert frechet_distance(first @ rotation, second @ rotation) == pytest.approx(
        frechet_distance(first, second), rel=1e-9
    )
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(first[order], second) == pytest.approx(frechet_distance(first, second), rel=1e-10)


def test_it_is_what_torchmetrics_and_torch_fidelity_say():
    from ldvd_lib._kit.torchvision import torchvision  # noqa: F401

    reference = pytest.importorskip("torch_fidelity.metric_fid", reason="pip install torch-fidelity to compare with it")
    from torchmetrics.image.fid import _compute_fid

    first, second = features(300, 30), features(400, 30, seed=1, shift=0.5)
    statistics = [reference.fid_features_to_statistics(x) for x in (first, second)]
    theirs = reference.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    a, b = GaussianStatistics.of(first), GaussianStatistics.of(second)
    assert frechet_distance(first, second) == pytest.approx(theirs, rel=1e-9)
    assert _compute_fid(a.mean, a.covariance, b.mean, b.covariance).item() == pytest.approx(theirs, rel=1e-9)


def test_statistics_are_numpys():
    x = features(50, 6)
    statistics = GaussianStatistics.of(x.float())
    torch.testing.assert_close(
        statistics.covariance, torch.from_numpy(np.cov(x.float().double().numpy(), rowvar=False))
    )
    assert statistics.count == 50 and statistics.mean.dtype == torch.float64


def test_merged_statistics_are_those_of_all_samples():
    """Far from the origin, where sums of squares would have lost everything to cancellation."""
    x = features(300, 6, shift=1e7)
    whole = GaussianStatistics.of(x)
    merged = GaussianStatistics.of(x[:7]).merge(GaussianStatistics.of(x[7:200])).merge(GaussianStatistics.of(x[200:]))
    assert merged.count == 300
    torch.testing.assert_close(merged.mean, whole.mean, rtol=1e-14, atol=0)
    torch.testing.assert_close(merged.covariance, whole.covariance, rtol=1e-7, atol=1e-7)


def test_statistics_come_back_from_a_file(tmp_path):
    statistics = GaussianStatistics.of(features(50, 6), metadata={"protocol": "actions", "seed": "3"})
    path = statistics.save(tmp_path / "new" / "real.safetensors")
    again = GaussianStatistics.load(path)
    assert (again.count, again.metadata) == (50, {"protocol": "actions", "seed": "3"})
    assert torch.equal(again.mean, statistics.mean) and torch.equal(again.covariance, statistics.covariance)
    assert [file.name for file in path.parent.iterdir()] == ["real.safetensors"]


def test_a_file_of_something_else_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*real\.safetensors"):
        GaussianStatistics.load(tmp_path / "real.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(ValueError, match="cannot be read as statistics"):
        GaussianStatistics.load(tmp_path / "broken.safetensors")
    safetensors.torch.save_file({"mean": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"no statistics that GaussianStatistics\.save wrote"):
        GaussianStatistics.load(tmp_path / "other.safetensors")


def test_statistics_whose_numbers_have_changed_are_refused(tmp_path):
    statistics = GaussianStatistics.of(features(50, 6))
    path = statistics.save(tmp_path / "real.safetensors")
    content = bytearray(path.read_bytes())
    content[content.index(statistics.mean.numpy().tobytes()) + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"real\.safetensors cannot be read as statistics \(its numbers have changed"):
        GaussianStatistics.load(path)


def test_statistics_without_a_hash_as_they_were_written_once_are_read(tmp_path):
    statistics = GaussianStatistics.of(features(50, 6))
    tensors = {"mean": statistics.mean, "covariance": statistics.covariance}
    header = {"format": "ldvd-gaussian-statistics-1", "count": "50", "protocol": "actions"}
    safetensors.torch.save_file(tensors, tmp_path / "old.safetensors", metadata=header)
    again = GaussianStatistics.load(tmp_path / "old.safetensors")
    assert (again.count, again.metadata) == (50, {"protocol": "actions"})
    assert torch.equal(again.mean, statistics.mean)


@pytest.mark.parametrize(
    ("header", "said"), [({"count": "some"}, "some"), ({}, "count"), ({"count": "1"}, "2 or more")]
)
def test_statistics_that_cannot_be_are_refused_with_the_name_of_their_file(tmp_path, header, said):
    tensors = {"mean": torch.zeros(3).double(), "covariance": torch.eye(3).double()}
    path = tmp_path / "edited.safetensors"
    safetensors.torch.save_file(tensors, path, metadata={"format": "ldvd-gaussian-statistics-1", **header})
    with pytest.raises(ValueError, match=rf"edited\.safetensors cannot be read as statistics .*{said}"):
        GaussianStatistics.load(path)


@pytest.mark.parametrize("name", ["format", "count", "sha256", "mean", "covariance"])
def test_metadata_may_not_take_the_files_own_names(name):
    if name in ("format", "count", "sha256"):
        with pytest.raises(ValueError, match=f"metadata.*{name}"):
            GaussianStatistics.of(features(5, 2), metadata={name: "1"})
    else:
        assert GaussianStatistics.of(features(5, 2), metadata={name: "1"}).metadata == {name: "1"}


def test_metadata_is_text():
    with pytest.raises(ValueError, match=r"metadata.*text"):
        GaussianStatistics.of(features(5, 2), metadata={"seed": 3})


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (torch.full((4, 5), float("inf")), "first: 4 of 4 samples hold NaN or infinity"),
        (torch.zeros(4, 6), "first has 6 features and second has 5"),
        (torch.zeros(1, 5), "first needs 2 samples or more, got 1"),
        (torch.zeros(4, 5, 2), r"\(n, d\).*got \(4, 5, 2\)"),
        (torch.zeros(4, 0), r"\(n, d\).*got \(4, 0\)"),
        (torch.zeros(4, 5, dtype=torch.uint8), "floating.*uint8"),
        ([[1.0] * 5] * 4, "tensor.*list"),
    ],
)
def test_what_are_no_features_is_refused(first, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(first, features(10, 5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, torch.zeros(2).double(), torch.eye(2).double()), "count"),
        ((9, torch.zeros(3).double(), torch.eye(2).double()), r"\(d,\) and \(d, d\)"),
        ((9, torch.zeros(0).double(), torch.zeros(0, 0).double()), "d ≥ 1"),
        ((9, torch.zeros(2), torch.eye(2)), "float64"),
        ((9, torch.zeros(2).double(), torch.eye(2).double() * float("nan")), "finite"),
        ((9, torch.zeros(2).double(), torch.tensor([[1.0, 2], [0, 1]]).double()), "symmetric"),
        ((9, torch.zeros(2).double(), -torch.eye(2).double()), "negative on its diagonal"),
    ],
)
def test_what_are_no_statistics_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GaussianStatistics(*arguments)
