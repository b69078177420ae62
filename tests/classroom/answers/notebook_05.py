"""Right and wrong answers to the exercises of 05, with a phrase of the message that names what is wrong."""

import numpy as np
import torch

from ldvd_lib.hessian import HessianOperator


def gradient_of(loss, parameters, **options):
    return torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss(), parameters, **options)])


def network_hvp(loss, parameters, vector):
    products = torch.autograd.grad(gradient_of(loss, parameters, create_graph=True) @ vector, parameters)
    return torch.cat([product.flatten() for product in products])


def network_hvp_part_by_part(loss, parameters, vector):
    parts = vector.split([parameter.numel() for parameter in parameters])
    parts = [part.view_as(parameter) for part, parameter in zip(parts, parameters, strict=True)]
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    products = torch.autograd.grad(gradients, parameters, parts)
    return torch.cat([product.reshape(-1) for product in products])


def network_hvp_row_by_row(loss, parameters, vector):
    """The whole matrix, which is slow and right."""
    gradient = gradient_of(loss, parameters, create_graph=True)
    rows = [torch.autograd.grad(entry, parameters, retain_graph=True, materialize_grads=True) for entry in gradient]
    return torch.stack([torch.cat([part.flatten() for part in row]) for row in rows]) @ vector


def network_hvp_as_a_list(loss, parameters, vector):
    return torch.autograd.grad(gradient_of(loss, parameters, create_graph=True) @ vector, parameters)


def network_hvp_by_backward(loss, parameters, vector):
    (gradient_of(loss, parameters, create_graph=True) @ vector).backward()
    return torch.cat([parameter.grad.flatten() for parameter in parameters])


def network_hvp_without_a_graph(loss, parameters, vector):
    return torch.autograd.grad(gradient_of(loss, parameters) @ vector, parameters)


def network_hvp_in_blocks(loss, parameters, vector):
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    parts, products = vector.split([parameter.numel() for parameter in parameters]), []
    for gradient, part, parameter in zip(gradients, parts, parameters, strict=True):
        own = torch.autograd.grad(
            gradient.flatten() @ part, parameter, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        products.append(own[0].flatten())
    return torch.cat(products)


def backwards(loss, parameters, vector):
    return torch.cat(network_hvp(loss, parameters, vector).split([p.numel() for p in parameters])[::-1])


def power_iteration(multiply, start, num_steps):
    v, estimates = start / start.norm(), []
    for _ in range(num_steps):
        product = multiply(v)
        estimates.append((v @ product).item())
        v = product / product.norm()
    return estimates


def both_ends(multiply, start, bound, num_steps=200):
    largest = power_iteration(lambda v: multiply(v) + bound * v, start, num_steps)[-1] - bound
    smallest = power_iteration(lambda v: multiply(v) - bound * v, start, num_steps)[-1] + bound
    return smallest, largest


def both_ends_by_reflection(multiply, start, bound, num_steps=200):
    """The smallest eigenvalue of H is minus the largest of -H."""
    ends = [
        sign * (power_iteration(lambda v, s=sign: s * multiply(v) + bound * v, start, num_steps)[-1] - bound)
        for sign in (-1, 1)
    ]
    return torch.tensor(ends, dtype=torch.float64)


def both_ends_of_the_matrix(multiply, start, bound, num_steps=200):
    matrix = torch.stack([multiply(row) for row in torch.eye(len(start), dtype=start.dtype)])
    return [torch.linalg.eigvalsh(matrix)[0], torch.linalg.eigvalsh(matrix)[-1]]


def ends(change):
    """A wrong answer: what it makes of the right ends and the bound."""
    return lambda multiply, start, bound, num_steps=200: change(*both_ends(multiply, start, bound), bound)


def both_ends_without_a_shift(multiply, start, bound, num_steps=200):
    estimate = power_iteration(multiply, start, num_steps)[-1]
    return -abs(estimate), abs(estimate)


def tridiagonal(alpha, beta):
    return torch.diag(alpha) + torch.diag(beta[:-1], 1) + torch.diag(beta[:-1], -1)


def ritz_with_bounds(alpha, beta):
    ritz, s = torch.linalg.eigh(tridiagonal(alpha, beta))
    return ritz, beta[-1] * s[-1].abs()


def ritz_with_bounds_one_by_one(alpha, beta):
    ritz, s = torch.linalg.eigh(tridiagonal(alpha, beta))
    return ritz, torch.stack([(beta[-1] * column[-1]).abs() for column in s.T])


def ritz_with_bounds_of_arrays(alpha, beta):
    matrix = np.diag(alpha.numpy()) + np.diag(beta[:-1].numpy(), 1) + np.diag(beta[:-1].numpy(), -1)
    ritz, s = np.linalg.eigh(matrix)
    return [ritz, float(beta[-1]) * np.abs(s[-1])]


def with_bounds(make):
    """A wrong answer: right Ritz values, and other bounds."""

    def answer(alpha, beta):
        ritz, s = torch.linalg.eigh(tridiagonal(alpha, beta))
        return ritz, make(s, beta)

    return answer


STUBS = {
    "05.1": lambda loss, parameters, vector: None,
    "05.2": lambda multiply, start, bound, num_steps=200: None,
    "05.3": lambda alpha, beta: None,
}
RIGHT = {
    "05.1": (
        network_hvp,
        network_hvp_part_by_part,
        network_hvp_row_by_row,
        lambda loss, parameters, vector: HessianOperator(loss, parameters) @ vector,
    ),
    "05.2": (both_ends, both_ends_by_reflection, both_ends_of_the_matrix, ends(lambda low, high, bound: [low, high])),
    "05.3": (ritz_with_bounds, ritz_with_bounds_one_by_one, ritz_with_bounds_of_arrays),
}
WRONG = {
    "05.1": (
        (lambda loss, parameters, vector: gradient_of(loss, parameters), "this is the gradient itself"),
        (lambda loss, parameters, vector: gradient_of(loss, parameters) * vector, "has to be differentiated again"),
        (lambda loss, parameters, vector: gradient_of(loss, parameters) @ vector, "fewer axes"),
        (lambda *arguments: -network_hvp(*arguments), "the sign is wrong"),
        (lambda *arguments: 2 * network_hvp(*arguments), "2 times too large"),
        (lambda loss, p, vector: network_hvp(loss, p, torch.ones_like(vector)), "a vector of ones"),
        (lambda loss, p, vector: network_hvp(loss, p, network_hvp(loss, p, vector)), "this is H(Hv)"),
        (network_hvp_in_blocks, "each parameter has been treated for itself"),
        (backwards, "in reverse order"),
        (network_hvp_as_a_list, "one flat tensor"),
        (lambda *arguments: network_hvp(*arguments)[:-1], "one place too short"),
        (network_hvp_by_backward, ".grad of the parameters has been written to"),
        (network_hvp_without_a_graph, "does not require grad"),
        (lambda loss, parameters, vector: vector, "the vector as it was given"),
        (lambda *arguments: network_hvp(*arguments).float(), "right but for rounding"),
    ),
    "05.2": (
        (lambda *arguments: both_ends(*arguments)[::-1], "the smallest is to come first"),
        (ends(lambda low, high, bound: (low - bound, high + bound)), "take the shift off again"),
        (ends(lambda low, high, bound: (low, high + bound)), "take the shift off again"),
        (ends(lambda low, high, bound: (low + bound, high - bound)), "the wrong way round"),
        (ends(lambda low, high, bound: (low + 2 * bound, high - 2 * bound)), "taken off twice"),
        (ends(lambda low, high, bound: (abs(low), high)), "lost its sign"),
        (ends(lambda low, high, bound: (low, low)), "both are the smallest"),
        (ends(lambda low, high, bound: (high, high)), "both are the largest"),
        (ends(lambda low, high, bound: (-high, high)), "is not minus the larger one"),
        (both_ends_without_a_shift, "is not minus the larger one"),
        (lambda *arguments: both_ends(*arguments)[0], "two numbers"),
        (lambda *arguments: (*both_ends(*arguments), 0), "two numbers"),
        (lambda multiply, start, bound: both_ends(multiply, start, bound, 1), "needs a matrix with one end far out"),
    ),
    "05.3": (
        (lambda alpha, beta: ritz_with_bounds(alpha, beta)[0], "two tensors"),
        (lambda alpha, beta: (ritz_with_bounds(alpha, beta)[0], ...), "still missing"),
        (lambda alpha, beta: (alpha, ritz_with_bounds(alpha, beta)[1]), "entries of the diagonal"),
        (lambda alpha, beta: [part.flip(0) for part in ritz_with_bounds(alpha, beta)], "backwards along axis 0"),
        (lambda alpha, beta: ritz_with_bounds(alpha, beta)[::-1], "the Ritz values come first"),
        (with_bounds(lambda s, beta: beta[-1] * s[-1]), "have signs"),
        (with_bounds(lambda s, beta: beta[-1] * s[:, -1].abs()), "eigenvectors are columns"),
        (with_bounds(lambda s, beta: beta[-1] * s[0].abs()), "take the last"),
        (with_bounds(lambda s, beta: beta[-2] * s[-1].abs()), "wrong beta"),
        (with_bounds(lambda s, beta: beta * s[-1].abs()), "a beta of its own"),
        (with_bounds(lambda s, beta: s[-1].abs()), "lack the factor beta"),
        (with_bounds(lambda s, beta: (beta[-1] * s[-1]) ** 2), "are squared"),
        (with_bounds(lambda s, beta: beta[-1] * s[-1, :3].abs()), "should have shape (12,)"),
        (with_bounds(lambda s, beta: (beta[-1] * s[-1].abs()).sort().values), "have been sorted"),
    ),
}
