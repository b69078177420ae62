"""Checks of 05, the loss landscape."""

import torch
from torch import Tensor, nn

from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_close, expect_shape
from ldvd_lib.classroom.exercises.registry import NotYet
from ldvd_lib.hessian import HessianOperator, Krylov


def _symmetric(eigenvalues: list[float]) -> Tensor:
    """A random symmetric matrix with these eigenvalues, float64."""
    basis = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), dtype=torch.float64)).Q
    return (basis * torch.tensor(eigenvalues, dtype=torch.float64)) @ basis.T


@exercise(
    "05.1",
    title="Hv of a network",
    hints=(
        "torch.autograd.grad takes a list of tensors in the place of one, and returns a tuple of gradients.",
        "Flatten each gradient and join them with torch.cat; then there is one number, gradient @ vector, to "
        "differentiate again.",
        "gradients = torch.autograd.grad(loss(), parameters, create_graph=True); differentiate "
        "torch.cat([g.flatten() for g in gradients]) @ vector with respect to parameters, and join the results alike.",
    ),
)
def hv_of_a_network(network_hvp):
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    parameters, inputs = list(network.parameters()), torch.randn(16, 4).double()

    def loss() -> Tensor:
        return (network(inputs) ** 2).mean()

    operator = HessianOperator(loss, parameters)
    vector = torch.randn(operator.shape[0], dtype=torch.float64)
    expected = operator @ vector
    got = attempt(network_hvp, loss, parameters, vector)
    expect(
        isinstance(got, Tensor),
        f"the product should be one flat tensor, with the parameters one after the other, and is a "
        f"{type(got).__name__}",
    )
    where = f"the product for a network of {len(vector)} weights"
    expect_shape(got, expected.shape, where)
    got = got.detach()
    for wrong, message in (
        (operator.gradient, "the gradient itself: it has to be multiplied with the vector, and differentiated again"),
        (operator.gradient * vector, "the gradient times the vector: their product has to be differentiated again"),
        (-expected, "-Hv: the sign is wrong"),
    ):
        expect(not torch.allclose(got, wrong), f"what you return is {message}")
    expect_close(got, expected, where, tolerance=1e-9)
    expect(
        all(parameter.grad is None for parameter in parameters),
        "the product is right, but .grad of the parameters has been written to: use torch.autograd.grad, "
        "not backward()",
    )
    return "Two backward passes, for 31 weights or for eleven million."


@exercise(
    "05.2",
    title="Both ends by a shift",
    hints=(
        "All eigenvalues of H + bound·I are at least 0. Which of them is the largest in magnitude?",
        "(H + bound·I) v is multiply(v) + bound * v. Do not forget to take the shift off again. For the other end, "
        "shift the other way.",
        "largest = power_iteration(lambda v: multiply(v) + bound * v, start, num_steps)[-1] - bound; for the smallest, "
        "turn both signs round.",
    ),
)
def both_ends_by_a_shift(both_ends):
    for eigenvalues in ([-3.0, -1.0, 0.2, 1.0, 3.0], [-1.0, 0.0, 0.5, 4.0], [-5.0, -2.0, 0.1, 1.0]):
        matrix = _symmetric(eigenvalues)
        bound = max(map(abs, eigenvalues)) + 0.5
        start = torch.ones(len(matrix), dtype=torch.float64) + 0.3 * torch.randn(len(matrix), dtype=torch.float64)
        got = attempt(both_ends, matrix.__matmul__, start, bound)
        expect(
            isinstance(got, (tuple, list, Tensor)) and len(got) == 2,
            "return two numbers: (smallest, largest)",
        )
        low, high = (float(value) for value in got)
        where = f"of a matrix with the eigenvalues {', '.join(f'{value:g}' for value in eigenvalues)}"
        least, most = eigenvalues[0], eigenvalues[-1]

        def is_close(first: float, second: float) -> bool:
            return abs(first - second) < 1e-3

        expect(
            not (is_close(low, most) and is_close(high, least)),
            f"you return {low:.3g} and {high:.3g}: these are the ends, but the smallest is to come first",
        )
        expect(
            not (is_close(high, most + bound) or is_close(low, least - bound)),
            f"you return {low:.3g} and {high:.3g}: take the shift of {bound:g} off again",
        )
        expect_close(low, least, f"the smallest eigenvalue {where}", tolerance=1e-3)
        expect_close(high, most, f"the largest eigenvalue {where}", tolerance=1e-3)
    return "This works on a perfectly symmetric spectrum, too. It needs a bound, though, and patience."


@exercise(
    "05.3",
    title="The residual bound",
    hints=(
        "tridiagonal(alpha, beta) makes T; torch.linalg.eigh gives its eigenvalues and its eigenvectors.",
        "Eigenvectors are columns. The last entry of every eigenvector, all at once, is the last row.",
        "ritz, s = torch.linalg.eigh(tridiagonal(alpha, beta)); the bounds are beta[-1] * s[-1].abs().",
    ),
)
def the_residual_bound(ritz_with_bounds):
    matrix = _symmetric(torch.randn(40).mul(3).sort().values.tolist())
    steps = 12
    krylov = Krylov(matrix, capacity=steps, random=torch.Generator().manual_seed(0))
    couplings = []
    for _ in range(steps):
        krylov.grow()
        couplings.append(krylov.beta)
    alpha, beta = krylov.restricted.diagonal().clone(), torch.tensor(couplings, dtype=torch.float64)
    got = attempt(ritz_with_bounds, alpha, beta)
    expect(
        isinstance(got, (tuple, list)) and len(got) == 2, "return two tensors: the Ritz values, and the bound of each"
    )
    values, bounds = got
    if any(part is None or part is ... for part in got):
        raise NotYet("one of the two is still missing")
    expected, coordinates = torch.linalg.eigh(krylov.restricted)
    vectors = krylov.vectors(coordinates)
    residuals = torch.linalg.vector_norm(vectors @ matrix - expected[:, None] * vectors, dim=1)  # by definition
    expect_close(values, expected, "the Ritz values, in rising order,", tolerance=1e-6)
    expect_shape(bounds, residuals.shape, "the bounds")
    for wrong, message in (
        (beta[-1] * coordinates[-1], "have signs: a bound is a magnitude"),
        (
            beta[-1] * coordinates[:, -1].abs(),
            "are entries of the last eigenvector: the last entry of each is wanted, and eigenvectors are columns",
        ),
        (beta[-1] * coordinates[0].abs(), "come from the first entry of each eigenvector: take the last"),
        (beta[-2] * coordinates[-1].abs(), "have the wrong beta: the last one couples T to the rest"),
        (coordinates[-1].abs(), "still lack the factor beta"),
        (residuals**2, "are squared"),
    ):
        right_shape = isinstance(bounds, Tensor) and bounds.shape == wrong.shape
        is_wrong = right_shape and torch.allclose(bounds.double(), wrong) and not torch.allclose(wrong, residuals)
        expect(not is_wrong, f"your bounds {message}")
    expect_close(bounds, residuals, "the bounds, compared with the residuals worked out in full,", tolerance=1e-6)
    return "No product was needed to know them: that is why Lanczos's method knows when to stop."
