"""Leading eigenvalues, against those of the whole matrix."""

import sys

import pytest
import torch
from torch import Tensor

from ldvd_lib.hessian import Eigenpairs, Krylov, lanczos
from ldvd_lib.hessian.lanczos import CHANCE, norm


def symmetric(eigenvalues: list[float] | Tensor, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """A matrix with given eigenvalues and random eigenvectors."""
    values = torch.as_tensor(eigenvalues, dtype=torch.float64)
    random = torch.Generator().manual_seed(seed)
    q = torch.linalg.qr(torch.randn(len(values), len(values), generator=random, dtype=torch.float64)).Q
    matrix = (q * values) @ q.T
    return ((matrix + matrix.T) / 2).to(dtype)


def bulk(n: int, width: float = 1.0, seed: int = 9) -> Tensor:
    """Many small eigenvalues of both signs."""
    return width * torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SPECTRA = {
    "bulk and outliers": torch.cat([torch.tensor([50.0, 30, 20, -25, -10]).double(), bulk(195)]),
    "clusters": torch.cat([torch.tensor([10.0, 10.001, 10.002, -8, -8.0005, 5, 5.0001]).double(), bulk(150)]),
    "equal magnitudes": torch.cat([torch.tensor([v * s for v in (9.0, 7, 6, 5) for s in (1, -1)]).double(), bulk(100)]),
    "all negative": -torch.linspace(1, 30, 80, dtype=torch.float64),
    "far from zero": torch.linspace(100, 110, 80, dtype=torch.float64),
    "evenly spread": torch.linspace(-10, 10.1, 60, dtype=torch.float64),
    "tiny": 1e-12 * torch.linspace(-10, 9, 60, dtype=torch.float64),
    "huge": 1e12 * torch.linspace(-10, 9, 60, dtype=torch.float64),
}


def expected(matrix: Tensor, k: int, which: str) -> Tensor:
    values = torch.linalg.eigvalsh(matrix.double())
    if which == "magnitude":
        return values[values.abs().argsort(descending=True)[:k]]
    return torch.cat([values[: k // 2], values[len(values) - (k + 1) // 2 :]]).flip(0)


def assert_same(values: Tensor, wanted: Tensor, relative: float = 1e-4) -> None:
    """Magnitudes in order; where two are equal, either may come first."""
    torch.testing.assert_close(values.abs(), wanted.abs(), rtol=relative, atol=0)
    torch.testing.assert_close(values.sort().values, wanted.sort().values, rtol=relative, atol=0)


def assert_bounds_hold(pairs: Eigenpairs, matrix: Tensor) -> None:
    """Within its residual of each value there is an eigenvalue, up to rounding."""
    eigenvalues = torch.linalg.eigvalsh(matrix.double())
    rounding = 100 * torch.finfo(matrix.dtype).eps * eigenvalues.abs().max()
    distances = (pairs.values[:, None] - eigenvalues).abs().min(1).values
    assert (distances <= pairs.residuals + rounding).all()


@pytest.mark.parametrize("which", ["magnitude", "ends"])
@pytest.mark.parametrize("k", [1, 4, 8])
@pytest.mark.parametrize("name", SPECTRA)
def test_the_leading_eigenvalues_are_those_of_the_matrix(name: str, k: int, which: str) -> None:
    matrix = symmetric(SPECTRA[name])
    pairs = lanczos(matrix, k, which=which, tolerance=1e-6)
    assert pairs.converged
    assert pairs.values.dtype == pairs.residuals.dtype == torch.float64
    if name == "equal magnitudes" and which == "magnitude" and k == 1:
        assert pairs.values.abs().item() == pytest.approx(9, rel=1e-8)  # either of the pair
    else:
        assert_same(pairs.values, expected(matrix, k, which), 1e-8)
    assert_bounds_hold(pairs, matrix)
    assert pairs.smallest <= pairs.values.min()
    assert pairs.largest >= pairs.values.max()


def test_both_ends_are_told_whichever_eigenvalues_lead() -> None:
    matrix = symmetric(SPECTRA["bulk and outliers"])
    pairs = lanczos(matrix, 1, tolerance=1e-9)
    assert (pairs.values.item(), pairs.largest) == pytest.approx((50, 50))
    assert pairs.smallest == pytest.approx(-25, rel=0.01)
    assert pairs.smallest >= -25 - 1e-9  # never overstated


@pytest.mark.parametrize("which", ["magnitude", "ends"])
def test_values_are_reported_in_falling_order(which: str) -> None:
    values = lanczos(symmetric(SPECTRA["bulk and outliers"]), 7, which=which).values
    keys = values.abs() if which == "magnitude" else values
    assert torch.equal(keys, keys.sort(descending=True).values)


def test_an_odd_number_from_both_ends_has_one_more_at_the_top() -> None:
    pairs = lanczos(symmetric(range(-20, 21)), 5, which="ends", tolerance=1e-8)
    torch.testing.assert_close(pairs.values, torch.tensor([20.0, 19, 18, -19, -20], dtype=torch.float64))


@pytest.mark.parametrize("name", ["bulk and outliers", "clusters", "equal magnitudes"])
def test_single_precision_is_enough(name: str) -> None:
    matrix = symmetric(SPECTRA[name], dtype=torch.float32)
    pairs = lanczos(matrix, 6, tolerance=1e-4)
    assert pairs.converged
    assert_same(pairs.values, expected(matrix, 6, "magnitude"), 1e-5)
    assert_bounds_hold(pairs, matrix)


@pytest.mark.parametrize("which", ["magnitude", "ends"])
@pytest.mark.parametrize("name", [name for name in SPECTRA if name != "bulk and outliers"])
def test_little_memory_gives_the_same_values_for_more_products(name: str, which: str) -> None:
    matrix = symmetric(SPECTRA[name])
    row = len(matrix) * 8
    plenty = lanczos(matrix, 4, which=which, tolerance=1e-6)
    tight = lanczos(matrix, 4, which=which, tolerance=1e-6, memory=15 * row, max_products=2000)
    assert plenty.converged
    assert tight.converged
    assert_same(tight.values, plenty.values, 1e-8)
    assert tight.products >= plenty.products > 14, "a basis that it fits into would prove nothing"
    assert_bounds_hold(tight, matrix)


def test_memory_is_respected(monkeypatch) -> None:
    """The basis is the one tensor that grows; its rows times P are what `memory` is about."""
    sizes = []
    original = torch.empty

    def watched(*shape, **options):
        sizes.append(shape)
        return original(*shape, **options)

    monkeypatch.setattr(torch, "empty", watched)
    lanczos(symmetric(SPECTRA["evenly spread"]), 4, memory=20 * 60 * 8)
    assert (20, 60) in sizes
    assert all(rows <= 20 for rows, columns in sizes if columns == 60)


@pytest.mark.parametrize("which", ["magnitude", "ends"])
@pytest.mark.parametrize("memory", [4 * 2**30, 16 * 120 * 8])
def test_vectors_are_orthonormal_and_residuals_are_what_they_say(which: str, memory: int) -> None:
    matrix = symmetric(SPECTRA["clusters"][:120])
    pairs = lanczos(matrix, 5, which=which, vectors=True, memory=memory, max_products=1000)
    assert pairs.vectors.shape == (5, 120)
    torch.testing.assert_close(pairs.vectors @ pairs.vectors.T, torch.eye(5, dtype=torch.float64), rtol=0, atol=1e-10)
    residuals = (pairs.vectors @ matrix - pairs.values[:, None] * pairs.vectors).norm(dim=1)
    torch.testing.assert_close(residuals, pairs.residuals, rtol=1e-6, atol=1e-10)
    assert (pairs.residuals > 1e-9).any(), "converged beyond rounding: nothing is compared"
    assert lanczos(matrix, 5, which=which).vectors is None


@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-6])
def test_convergence_means_residuals_within_the_tolerance(tolerance: float) -> None:
    matrix = symmetric(SPECTRA["bulk and outliers"])
    pairs = lanczos(matrix, 5, tolerance=tolerance)
    assert pairs.converged
    assert (pairs.residuals <= tolerance * pairs.values.abs()).all()
    assert_bounds_hold(pairs, matrix)


def test_a_stricter_tolerance_costs_more() -> None:
    matrix = symmetric(SPECTRA["evenly spread"])
    products = [lanczos(matrix, 4, tolerance=tolerance).products for tolerance in (1e-1, 1e-4, 1e-8)]
    assert products == sorted(products)
    assert products[0] < products[-1]


def test_giving_up_is_said_and_residuals_tell_how_far_off() -> None:
    matrix = symmetric(torch.linspace(-1, 1, 400, dtype=torch.float64))
    pairs = lanczos(matrix, 6, tolerance=1e-8, max_products=20)
    assert not pairs.converged
    assert pairs.products == 20
    assert (pairs.residuals > 1e-8 * pairs.values.abs()).any()
    assert_bounds_hold(pairs, matrix)
    assert -1 <= pairs.smallest <= pairs.largest <= 1


@pytest.mark.parametrize("k", [3, 6, 10])
def test_more_eigenvalues_than_the_rank(k: int) -> None:
    matrix = symmetric([5.0, -4, 3] + [0.0] * 47)
    pairs = lanczos(matrix, k)
    assert pairs.converged
    torch.testing.assert_close(pairs.values[:3], torch.tensor([5.0, -4, 3], dtype=torch.float64), rtol=1e-6, atol=0)
    assert (pairs.values[3:].abs() < 1e-10).all()
    assert pairs.products <= 30


@pytest.mark.parametrize(
    "values", [[3.0], [-2.0, 7], [1.0, -1, 1], [4.0, 4, 4, 4], [2.0, -1, 0.5, 1e-3, -5, 6]], ids=str
)
def test_as_many_eigenvalues_as_there_are(values: list[float]) -> None:
    matrix = symmetric(values)
    for which in ("magnitude", "ends"):
        pairs = lanczos(matrix, len(values), which=which, vectors=True)
        assert pairs.converged
        torch.testing.assert_close(pairs.values.sort().values, torch.tensor(values).double().sort().values)
        rebuilt = (pairs.vectors.T * pairs.values) @ pairs.vectors
        torch.testing.assert_close(rebuilt, matrix, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("multiple", [2, 5, 30])
def test_of_exact_multiples_nothing_is_found_that_is_not_there(multiple: int) -> None:
    matrix = symmetric([6.0] * multiple + [-3.0] * multiple + [1.0] * 20)
    pairs = lanczos(matrix, 4)
    assert pairs.converged
    assert abs(pairs.values[0].item() - 6) < 1e-8
    assert abs(pairs.smallest + 3) < 1e-8
    assert_bounds_hold(pairs, matrix)
    assert pairs.residuals.max() < 1e-2


def test_a_matrix_of_zeros() -> None:
    for size, k in ((1, 1), (5, 2), (40, 10)):
        pairs = lanczos(torch.zeros(size, size), k)
        assert pairs.converged
        assert pairs.values.tolist() == [0] * k
        assert (pairs.largest, pairs.smallest) == (0, 0)


def test_a_multiple_of_the_identity() -> None:
    pairs = lanczos(-2.5 * torch.eye(30, dtype=torch.float64), 3)
    torch.testing.assert_close(pairs.values, torch.full((3,), -2.5, dtype=torch.float64))


def test_the_same_seed_gives_the_same_numbers_and_leaves_torchs_stream_alone() -> None:
    matrix = symmetric(SPECTRA["bulk and outliers"])
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, two, other = (lanczos(matrix, 3, tolerance=1e-2, seed=seed) for seed in (4, 4, 5))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.values, two.values)
    assert not torch.equal(one.values, other.values)


class Broken:
    """A matrix whose products are not finite from a certain one on."""

    def __init__(self, matrix: Tensor, good: int, bad: float) -> None:
        self.matrix, self.good, self.bad = matrix, good, bad
        self.shape, self.dtype, self.device = tuple(matrix.shape), matrix.dtype, matrix.device

    def __matmul__(self, vector: Tensor) -> Tensor:
        self.good -= 1
        product = self.matrix @ vector
        if self.good < 0:
            product[0] = self.bad
        return product


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("good", [0, 5])
def test_an_operator_that_is_not_finite_is_refused(bad: float, good: int) -> None:
    with pytest.raises(ValueError, match="not finite"):
        lanczos(Broken(symmetric(SPECTRA["evenly spread"]), good, bad), 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k is 0, but a 40×40 operator has 1 to 40"),
        ({"k": 41}, "k is 41"),
        ({"which": "largest"}, r"which 'largest' is unknown: .*'magnitude', 'ends'"),
        ({"tolerance": 0}, "tolerance is 0"),
        ({"tolerance": 1}, "tolerance is 1, but must be between 0 and 1"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"max_products": 5}, "max_products is 5, but 4 eigenvalues .* need at least 12"),
        ({"memory": 12 * 40 * 8}, "memory is 3840 bytes.* 13 vectors, 4160 bytes"),
    ],
    ids=str,
)
def test_arguments_out_of_range_are_explained(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lanczos(symmetric(torch.linspace(-1, 1, 40)), **({"k": 4} | options))


def test_the_least_that_an_error_asks_for_is_enough() -> None:
    pairs = lanczos(symmetric(torch.linspace(-1, 1, 40)), 4, memory=13 * 40 * 8, max_products=12)
    assert pairs.products == 12


@pytest.mark.parametrize("rank", [0, 1, 12])
def test_exact_values_of_an_invariant_space_are_called_converged_however_small_the_memory(rank: int) -> None:
    matrix = symmetric(torch.cat([torch.ones(rank), torch.zeros(40 - rank)]))
    pairs = lanczos(matrix, 10, memory=20 * 40 * 8)
    assert pairs.converged and pairs.products < 100
    assert torch.allclose(pairs.values[: min(rank, 1)], torch.ones(min(rank, 1), dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["clusters", "all negative", "far from zero"])
def test_a_krylov_basis_is_orthonormal_and_holds_the_operator(name: str, dtype: torch.dtype) -> None:
    matrix = symmetric(SPECTRA[name], dtype=dtype)
    krylov = Krylov(matrix, capacity=60, random=torch.Generator().manual_seed(0))
    for _ in range(60):
        krylov.grow()
    rounding = 20 * torch.finfo(dtype).eps
    scale = matrix.abs().max().item()
    basis, matrix = krylov.basis[: krylov.size].double(), matrix.double()
    torch.testing.assert_close(basis @ basis.T, torch.eye(60, dtype=torch.float64), rtol=0, atol=rounding)
    torch.testing.assert_close(basis @ matrix @ basis.T, krylov.restricted, rtol=0, atol=10 * rounding * scale)
    rest = matrix @ basis.T - basis.T @ krylov.restricted
    assert rest[:, :-1].norm() < 100 * rounding * scale
    assert rest[:, -1].norm().item() == pytest.approx(krylov.beta, rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("eigenvalues", "k"),
    [
        ([5.0] * 3 + [1.0] * 3 + [0.0] * 40, 3),
        ([5.0] * 3 + [1.0] * 3 + [0.0] * 40, 6),
        ([3.0, -3.0] * 2 + [0.1] * 40, 4),
    ],
)
def test_an_invariant_space_is_not_the_end(eigenvalues: list[float], k: int, dtype: torch.dtype) -> None:
    """A Krylov space meets each distinct eigenvalue once; copies are looked for before the search may stop."""
    matrix = symmetric(eigenvalues, dtype=dtype)
    assert_same(lanczos(matrix, k, tolerance=1e-5).values, expected(matrix, k, "magnitude"))


def test_an_operator_may_return_what_it_was_given() -> None:
    class Identity:
        shape, dtype, device = (30, 30), torch.float64, torch.device("cpu")

        def __matmul__(self, vector: Tensor) -> Tensor:
            return vector

    torch.testing.assert_close(lanczos(Identity(), 3).values, torch.ones(3, dtype=torch.float64))


# Whether they lead --------------------------------------------------------------------------------------------------


class Diagonal:
    """An operator with these eigenvalues, whose eigenvectors are the axes."""

    def __init__(self, eigenvalues: list[float] | Tensor, dtype: torch.dtype = torch.float64) -> None:
        self.eigenvalues = torch.as_tensor(eigenvalues, dtype=torch.float64).to(dtype)
        self.shape, self.dtype, self.device = (len(eigenvalues),) * 2, dtype, torch.device("cpu")

    def __matmul__(self, vector: Tensor) -> Tensor:
        return self.eigenvalues * vector

    def leading(self, k: int, which: str) -> Tensor:
        return expected(torch.diag(self.eigenvalues), k, which)


def products_for_small_residuals(operator: Diagonal, k: int, tolerance: float, seed: int) -> tuple[int, Tensor]:
    """After how many products the leading residuals are first within the tolerance, and the values then."""
    krylov = Krylov(operator, capacity=operator.shape[0], random=torch.Generator().manual_seed(seed))
    while True:
        krylov.grow()
        values, _, residuals = krylov.ritz()
        chosen = values.abs().argsort(descending=True)[:k]
        if krylov.size >= k and (residuals[chosen] <= tolerance * values[chosen].abs()).all():
            return krylov.products, values[chosen]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("eigenvalues", "k", "tolerance"),
    [
        ([137.62, 137.0, 133.4, 100, -90, 80, 70, -60, *bulk(400, 3).tolist()], 2, 1e-2),
        ([60.0, 59.9, 59.5, 40, 39.9, -40.1, *bulk(300, 2).tolist()], 3, 1e-2),
        (torch.linspace(-1, 1, 200), 10, 1e-1),
        (100 * torch.arange(1, 300).double() ** -0.5, 10, 1e-1),
    ],
    ids=["two leaders", "clusters", "dense", "slow"],
)
def test_what_is_called_converged_leads_where_small_residuals_alone_mislead(eigenvalues, k, tolerance, dtype) -> None:
    operator, misled = Diagonal(eigenvalues, dtype), 0
    truth = operator.leading(k, "magnitude").abs()
    for seed in range(4):
        _, values = products_for_small_residuals(operator, k, tolerance, seed)
        misled += bool(((values.abs() - truth).abs() > tolerance * truth).any())
        pairs = lanczos(operator, k, tolerance=tolerance, seed=seed)
        assert pairs.converged
        torch.testing.assert_close(pairs.values.abs(), truth, rtol=tolerance, atol=0)
    assert misled > 0, "an operator that misleads nobody would prove nothing"


@pytest.mark.parametrize("which", ["magnitude", "ends"])
@pytest.mark.parametrize("memory", [4 * 2**30, 20 * 302 * 8], ids=["plenty", "tight"])
@pytest.mark.parametrize("share", [1e-2, 1e-4, 1e-5])
def test_a_leader_of_which_the_start_holds_next_to_nothing_is_waited_for(monkeypatch, share, memory, which) -> None:
    """Up to the share that a random start has with a probability of all but CHANCE, it cannot be missed."""
    operator = Diagonal([137.62, 133.4, *bulk(300, 20).clamp(-60, 60).tolist()])
    assert share > CHANCE * (torch.pi / 2 / operator.shape[0]) ** 0.5
    random_vector = Krylov._random_vector

    def unlucky(krylov: Krylov) -> Tensor:
        vector = random_vector(krylov)
        vector[0] = share
        return vector / norm(vector)

    monkeypatch.setattr(Krylov, "_random_vector", unlucky)
    pairs = lanczos(operator, 1, which=which, memory=memory, tolerance=1e-2)
    assert pairs.converged
    assert pairs.values.item() == pytest.approx(137.62, rel=1e-3)


def test_small_residuals_are_not_called_converged_before_it_is_known_that_they_lead() -> None:
    operator = Diagonal([137.62, 133.4, *bulk(400, 20).tolist()])
    products, _ = products_for_small_residuals(operator, 1, 1e-3, seed=0)
    pairs = lanczos(operator, 1, max_products=products)
    assert (pairs.residuals <= 1e-3 * pairs.values.abs()).all()
    assert pairs.products == products
    assert not pairs.converged


@pytest.mark.parametrize("restarts", [False, True])
def test_the_growth_along_each_eigenvector_is_what_the_basis_shows(restarts: bool) -> None:
    """With orthonormal eigenvectors x, of eigenvalues λ: |x · next direction| = |p(λ)| |x · start|."""
    operator = Diagonal(torch.linspace(-1, 2, 40))
    krylov = Krylov(operator, capacity=10, random=torch.Generator().manual_seed(0))
    start = krylov.basis[0].clone()
    for _ in range(10):
        krylov.grow()
    if restarts:
        krylov.restart(torch.tensor([9, 8, 0]))
        for _ in range(4):
            krylov.grow()
    growth = krylov.log_growth(operator.eigenvalues, krylov.ritz()[0])
    torch.testing.assert_close(growth.exp() * start.abs(), krylov.basis[krylov.size].abs(), rtol=1e-6, atol=1e-9)


class OnDevice(Tensor):
    """A tensor as of a device without double precision: what would compute in float64 there raises."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        result = super().__torch_function__(function, types, args, kwargs or {})
        if function is Tensor.cpu:
            return result.as_subclass(Tensor)
        wanted = (kwargs or {}).get("dtype")
        if isinstance(result, OnDevice) and torch.float64 in (result.dtype, wanted):
            raise TypeError("the device has no float64")
        return result


def test_a_device_without_double_precision_gives_the_same_values(monkeypatch) -> None:
    class There(Diagonal):
        def __matmul__(self, vector: Tensor) -> Tensor:
            assert vector.dtype == torch.float32
            return super().__matmul__(vector).as_subclass(OnDevice)

    spectrum = SPECTRA["bulk and outliers"]
    with pytest.raises(TypeError, match="no float64"):
        lanczos(There(spectrum, torch.float32), 4)
    here = lanczos(Diagonal(spectrum, torch.float32), 4)
    monkeypatch.setattr(sys.modules[Krylov.__module__], "SINGLE_ONLY", ("cpu",))
    there = lanczos(There(spectrum, torch.float32), 4)
    assert torch.equal(there.values, here.values)
    assert torch.equal(there.residuals, here.residuals)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_right_to_its_own_precision(dtype: torch.dtype) -> None:
    operator = Diagonal([50.0, 30, -25, 20, *bulk(100, 0.5).tolist()], dtype)
    pairs = lanczos(operator, 3, tolerance=0.1)
    torch.testing.assert_close(pairs.values, operator.leading(3, "magnitude"), rtol=20 * torch.finfo(dtype).eps, atol=0)
