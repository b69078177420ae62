"""The checks of 05 pass right answers, however they are written, and say what is wrong with the others."""

import pytest
import torch

from ldvd_lib.classroom import check
from ldvd_lib.hessian import HessianOperator


def network_hvp(loss, parameters, vector):
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    products = torch.autograd.grad(torch.cat([g.flatten() for g in gradients]) @ vector, parameters)
    return torch.cat([product.flatten() for product in products])


def network_hvp_part_by_part(loss, parameters, vector):
    parts = vector.split([parameter.numel() for parameter in parameters])
    parts = [part.view_as(parameter) for part, parameter in zip(parts, parameters, strict=True)]
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    products = torch.autograd.grad(gradients, parameters, parts)
    return torch.cat([product.reshape(-1) for product in products])


def network_gradient(loss, parameters, vector):
    return torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss(), parameters)])


def network_hvp_as_a_list(loss, parameters, vector):
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    return torch.autograd.grad(torch.cat([g.flatten() for g in gradients]) @ vector, parameters)


def network_hvp_by_backward(loss, parameters, vector):
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    (torch.cat([g.flatten() for g in gradients]) @ vector).backward()
    return torch.cat([parameter.grad.flatten() for parameter in parameters])


def network_hvp_without_a_graph(loss, parameters, vector):
    gradients = torch.autograd.grad(loss(), parameters)
    return torch.autograd.grad(torch.cat([g.flatten() for g in gradients]) @ vector, parameters)


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


def both_ends_still_shifted(multiply, start, bound, num_steps=200):
    smallest, largest = both_ends(multiply, start, bound, num_steps)
    return smallest - bound, largest + bound


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


def with_bounds(make):
    """A wrong answer: right Ritz values, and other bounds."""

    def answer(alpha, beta):
        ritz, s = torch.linalg.eigh(tridiagonal(alpha, beta))
        return ritz, make(s, beta)

    return answer


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("05.1", network_hvp),
        ("05.1", network_hvp_part_by_part),
        ("05.1", lambda loss, parameters, vector: HessianOperator(loss, parameters) @ vector),
        ("05.2", both_ends),
        ("05.2", both_ends_by_reflection),
        ("05.3", ritz_with_bounds),
        ("05.3", ritz_with_bounds_one_by_one),
    ],
)
def test_right_answers_pass(name, answer):
    assert check(name, answer).passed, check(name, answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("05.1", lambda loss, parameters, vector: None),
        ("05.2", lambda multiply, start, bound, num_steps=200: None),
        ("05.3", lambda alpha, beta: None),
    ],
)
def test_the_stubs_are_not_attempted_yet(name, answer):
    assert check(name, answer).status == "not attempted yet"


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("05.1", network_gradient, "the gradient itself"),
        ("05.1", lambda *arguments: network_gradient(*arguments) * arguments[-1], "has to be differentiated again"),
        ("05.1", lambda *arguments: -network_hvp(*arguments), "the sign is wrong"),
        ("05.1", lambda *arguments: 2 * network_hvp(*arguments), "the right shape"),
        ("05.1", network_hvp_as_a_list, "one flat tensor"),
        ("05.1", lambda *arguments: network_hvp(*arguments)[:-1], "should have shape"),
        ("05.1", network_hvp_by_backward, ".grad of the parameters has been written to"),
        ("05.1", network_hvp_without_a_graph, "RuntimeError"),
        ("05.2", lambda *arguments: both_ends(*arguments)[::-1], "the smallest is to come first"),
        ("05.2", both_ends_still_shifted, "take the shift"),
        ("05.2", both_ends_without_a_shift, "eigenvalue of a matrix with the eigenvalues -3"),
        ("05.2", lambda *arguments: both_ends(*arguments)[0], "two numbers"),
        ("05.3", lambda alpha, beta: ritz_with_bounds(alpha, beta)[0], "two tensors"),
        ("05.3", lambda alpha, beta: (ritz_with_bounds(alpha, beta)[0], ...), "still missing"),
        ("05.3", lambda alpha, beta: (alpha, ritz_with_bounds(alpha, beta)[1]), "Ritz values"),
        ("05.3", with_bounds(lambda s, beta: beta[-1] * s[-1]), "have signs"),
        ("05.3", with_bounds(lambda s, beta: beta[-1] * s[:, -1].abs()), "eigenvectors are columns"),
        ("05.3", with_bounds(lambda s, beta: beta[-1] * s[0].abs()), "take the last"),
        ("05.3", with_bounds(lambda s, beta: beta[-2] * s[-1].abs()), "wrong beta"),
        ("05.3", with_bounds(lambda s, beta: s[-1].abs()), "lack the factor beta"),
        ("05.3", with_bounds(lambda s, beta: (beta[-1] * s[-1]) ** 2), "are squared"),
        ("05.3", with_bounds(lambda s, beta: beta[-1] * s[-1, :3].abs()), "should have shape (12,)"),
    ],
)
def test_wrong_answers_are_told_what_is_wrong(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message in result.message
