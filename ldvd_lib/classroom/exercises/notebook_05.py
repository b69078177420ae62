"""Checks of 05, the loss landscape."""

import torch
from torch import Tensor, nn

from ldvd_lib.classroom.exercises import (
    attempt,
    exercise,
    expect,
    expect_close,
    expect_number,
    expect_shape,
    expect_type,
)
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
    diagonal = torch.stack([operator @ row for row in torch.eye(len(vector), dtype=torch.float64)]).diagonal()
    what = f"the product for a network of {len(vector)} weights"
    got = attempt(network_hvp, loss, parameters, vector)
    expect_type(got, Tensor, what, "one flat tensor, with the parameters one after the other")
    expect_shape(got, expected.shape, what)
    sizes = [parameter.numel() for parameter in parameters]
    gradient = operator.gradient
    expect_close(
        got,
        expected,
        what,
        tolerance=1e-9,
        mistakes=(
            (
                gradient,
                "this is the gradient itself: it has to be multiplied with the vector, and differentiated again",
            ),
            (gradient * vector, "this is the gradient times the vector: their product has to be differentiated again"),
            (vector, "this is the vector as it was given"),
            (-expected, "this is -Hv: the sign is wrong"),
            (operator @ expected, "this is H(Hv): one product is asked for"),
            (
                operator @ torch.ones_like(vector),
                "the vector has no part in this: it is the product with a vector of ones",
            ),
            (operator @ gradient, "this is H times the gradient, and not times the vector"),
            (diagonal * vector, "this has the Hessian's diagonal only: weights act on each other, too"),
            (diagonal, "this is the Hessian's diagonal, without the vector"),
            (operator @ vector.sign(), "this has the vector's signs only, not its values"),
            (torch.cat(expected.split(sizes)[::-1]), "the parts are right, and in reverse order"),
            (operator @ torch.cat(vector.split(sizes[::-1])[::-1]), "the vector has been taken apart from its end"),
            (
                _blocks(loss, parameters, vector),
                "each parameter has been treated for itself: those of one layer act on "
                "those of the others, so multiply all gradients with the vector before you differentiate",
            ),
        ),
    )
    expect(
        all(parameter.grad is None for parameter in parameters),
        "the product is right, but .grad of the parameters has been written to: use torch.autograd.grad, "
        "not backward()",
    )
    return "Two backward passes, for 31 weights or for eleven million."


def _blocks(loss, parameters: list[nn.Parameter], vector: Tensor) -> Tensor:
    """Hv with the blocks on the diagonal only, a block for each parameter: a mistake."""
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    parts = vector.split([parameter.numel() for parameter in parameters])
    products = []
    for gradient, part, parameter in zip(gradients, parts, parameters, strict=True):
        product = gradient.flatten() @ part
        (own,) = torch.autograd.grad(product, parameter, retain_graph=True, allow_unused=True)
        products.append((torch.zeros_like(parameter) if own is None else own).flatten())
    return torch.cat(products)


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
    for eigenvalues in ([-1.0, 0.0, 0.5, 4.0], [-3.0, -1.0, 0.2, 1.0, 3.0], [-5.0, -2.0, 0.1, 1.0]):
        matrix = _symmetric(eigenvalues)
        least, most = eigenvalues[0], eigenvalues[-1]
        bound = max(map(abs, eigenvalues)) + 0.5
        start = torch.ones(len(matrix), dtype=torch.float64) + 0.3 * torch.randn(len(matrix), dtype=torch.float64)
        got = attempt(both_ends, matrix.__matmul__, start, bound)
        if not isinstance(got, Tensor):
            expect_type(got, (tuple, list), "what you return", "two numbers, (smallest, largest)")
        expect(len(got) == 2, f"return two numbers, (smallest, largest), and not {len(got)}")
        low, high = (expect_number(value, "each end") for value in got)
        where = (
            f"you return {low:.3g} and {high:.3g} for eigenvalues {', '.join(f'{value:g}' for value in eigenvalues)}"
        )

        def is_close(first: float, second: float) -> bool:
            return abs(first - second) < 1e-3

        pairs = (
            (most, least, "these are the ends, but the smallest is to come first"),
            (least - bound, most + bound, "take the shift off again"),
            (least + bound, most - bound, "the shift has been taken off the wrong way round: undo what you did to H"),
            (least + 2 * bound, most - 2 * bound, "the shift has been taken off twice"),
            (-least, most, "the smaller end has lost its sign"),
            (abs(least), abs(most), "the smaller end has lost its sign"),
            (least, least, "both are the smallest: shift the other way for the other end"),
            (most, most, "both are the largest: shift the other way for the other end"),
            (-most, most, "the smaller end is not minus the larger one: shift the other way, and look"),
            (least, -least, "the larger end is not minus the smaller one: shift the other way, and look"),
        )
        right = is_close(low, least) and is_close(high, most)
        for first, second, message in pairs:
            expect(right or not (is_close(low, first) and is_close(high, second)), f"{where}: {message}")
        for value, shifted in ((high, most + bound), (low, least - bound)):
            expect(not is_close(value, shifted), f"{where}: take the shift off again")
        for value, end, name in ((low, least, "first"), (high, most, "second")):
            at_other_end = any(is_close(abs(value), abs(other)) for other in eigenvalues)
            expect(
                is_close(value, end),
                f"{where}: the {name} is not that end"
                + ("" if at_other_end else ", nor any eigenvalue: power iteration needs a matrix with one end far out"),
            )
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
    expect_type(got, (tuple, list), "what you return", "two tensors: the Ritz values, and the bound of each")
    expect(len(got) == 2, f"return two tensors, the Ritz values and the bound of each, and not {len(got)}")
    expect(not any(part is None or part is ... for part in got), "one of the two is still missing")
    values, bounds = got
    expected, coordinates = torch.linalg.eigh(krylov.restricted)
    vectors = krylov.vectors(coordinates)
    residuals = torch.linalg.vector_norm(vectors @ matrix - expected[:, None] * vectors, dim=1)  # by definition
    expect_close(
        values,
        expected,
        "the Ritz values, in rising order,",
        tolerance=1e-6,
        mistakes=(
            (alpha, "these are the entries of the diagonal; the Ritz values are T's eigenvalues"),
            (alpha.sort().values, "these are the entries of the diagonal; the Ritz values are T's eigenvalues"),
            (residuals, "these are the bounds: the Ritz values come first"),
        ),
    )
    expect_close(
        bounds,
        residuals,
        "the bounds, compared with the residuals worked out in full,",
        tolerance=1e-6,
        mistakes=(
            (beta[-1] * coordinates[-1], "yours have signs: a bound is a magnitude"),
            (
                beta[-1] * coordinates[:, -1].abs(),
                "yours are entries of the last eigenvector: the last entry of each is "
                "wanted, and eigenvectors are columns",
            ),
            (beta[-1] * coordinates[0].abs(), "yours come from the first entry of each eigenvector: take the last"),
            (beta[-2] * coordinates[-1].abs(), "yours have the wrong beta: the last one couples T to the rest"),
            (beta[0] * coordinates[-1].abs(), "yours have the wrong beta: the last one couples T to the rest"),
            (
                beta * coordinates[-1].abs(),
                "each of yours has a beta of its own: all take the last, which couples T to the rest",
            ),
            (
                beta[-1].expand(steps),
                "yours are beta alone: how much of each eigenvector lies in the last Krylov vector?",
            ),
            (coordinates[-1].abs(), "yours still lack the factor beta"),
            (residuals**2, "yours are squared"),
            (residuals.flip(0), "yours are in falling order of the Ritz values, which rise"),
            (residuals.sort().values, "yours have been sorted: each belongs to the Ritz value at its place"),
        ),
    )
    return "No product was needed to know them: that is why Lanczos's method knows when to stop."
