"""Products with the Hessian, against the whole matrix from `torch.func`."""

import copy

import pytest
import torch
from scipy.sparse.linalg import eigsh
from torch import Tensor, nn
from torch.func import functional_call, hessian
from torch.nn.functional import cross_entropy
from torch.nn.utils.parametrize import is_parametrized

from ldvd_lib import losses
from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.hessian import DiscriminatorObjective, HessianOperator, ScaledOperator, lanczos
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import Recipe

FRAMES, PIXELS = 4, 8
NETWORKS = {
    "3d": {"kinds": ("3d", "3d")},
    "2+1d": {"kinds": ("2+1d", "2d"), "bias": True},
    "2d": {"kinds": ("2d", "2d"), "aggregation": "max"},
    "shift": {"kinds": ("shift", "2d"), "base_channels": 4},
    "mixture": {"kinds": ("3d", "shift", "2d"), "image_size": 16, "space": (2, 2, 0), "aggregation": "per-frame"},
    "spectral": {"kinds": ("2+1d", "2d"), "spectral": True},
    "fixed beta": {"kinds": ("3d", "2d"), "train_beta": False, "aggregation": "sum"},
    "volume": {"kinds": ("3d", "2d"), "head": "volume"},
    "patch": {"kinds": ("3d", "2d", "2d"), "image_size": 16, "space": (2, 2, 0), "head": "patch"},
    "categories": {"kinds": ("3d", "2d"), "head": "volume", "num_categories": 3},
    "image": {"kinds": ("2d", "2d"), "num_frames": 1},
}


def network(name: str = "3d", dtype: torch.dtype = torch.float64, **options: object) -> VideoDiscriminator:
    torch.manual_seed(0)
    options = (
        {"image_size": PIXELS, "num_frames": FRAMES, "base_channels": 2, "init": "xavier"} | NETWORKS[name] | options
    )
    return VideoDiscriminator(**options).to(dtype)


def objective(
    discriminator: VideoDiscriminator, loss: str = "non-saturating", **options: object
) -> DiscriminatorObjective:
    dtype, random = next(discriminator.parameters()).dtype, torch.Generator().manual_seed(1)
    shape = (4, 3, discriminator.num_frames, discriminator.image_size, discriminator.image_size)
    # Drawn in double precision, so that networks of either kind see the same videos.
    real, fake = (torch.rand(shape, generator=random, dtype=torch.float64).to(dtype) * 2 - 1 for _ in range(2))
    labels = torch.arange(4) % discriminator.num_categories if discriminator.num_categories else None
    game = Objective({"video": discriminator}, Recipe(loss=loss))
    return DiscriminatorObjective(game, "video", Batch(real, labels), Batch(fake), **options)


def operator_of(fixed_loss: DiscriminatorObjective) -> HessianOperator:
    return HessianOperator(fixed_loss, fixed_loss.parameters)


def frozen_after(discriminator: nn.Module, videos: Tensor, training: bool) -> tuple[nn.Module, nn.Module]:
    """The network as it is while it sees a batch, without anything that remembers; and what it is afterwards."""
    after = copy.deepcopy(discriminator).train(training)
    with torch.no_grad():
        after(videos)
    frozen = copy.deepcopy(after)
    for layer in frozen.layers if training else ():
        for number, part in enumerate(layer):
            if isinstance(part, nn.BatchNorm3d):
                layer[number] = BatchNormWrittenOut(part)
    for module in frozen.modules():
        if is_parametrized(module):
            module.parametrizations.eval()  # this batch's power iteration is done
    return frozen, after


def dense_hessian(fixed_loss: DiscriminatorObjective) -> Tensor:
    """The same loss written anew as a function of one flat vector, and its whole Hessian."""
    discriminator, loss = fixed_loss.discriminator, losses.get(fixed_loss.objective.loss.name)
    real, labels, _ = fixed_loss.real
    for_fake, after = frozen_after(discriminator, fixed_loss.fake.video, fixed_loss.training)
    for_real, _ = frozen_after(after, real, fixed_loss.training)
    names = [name for name, parameter in discriminator.named_parameters() if parameter.requires_grad]
    shapes = [discriminator.get_parameter(name).shape for name in names]

    def value(flat: Tensor) -> Tensor:
        parts = flat.split([shape.numel() for shape in shapes])
        weights = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        fake_scores = functional_call(for_fake, weights, (fixed_loss.fake.video,))
        if labels is None:
            return loss.discriminator(functional_call(for_real, weights, (real,)), fake_scores)
        both = functional_call(Both(for_real), {f"network.{n}": w for n, w in weights.items()}, (real,))
        return loss.discriminator(both[0], fake_scores) + cross_entropy(both[1], labels)

    flat = torch.cat([discriminator.get_parameter(name).detach().flatten() for name in names])
    return hessian(value)(flat)


class BatchNormWrittenOut(nn.Module):
    """Normalisation by the statistics of the batch; of the built-in one `torch.func` gets second derivatives wrong."""

    def __init__(self, norm: nn.BatchNorm3d) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x, (0, 2, 3, 4), correction=0, keepdim=True)
        scale, offset = (parameter[:, None, None, None] for parameter in (self.weight, self.bias))
        return (x - mean) / (variance + self.eps).sqrt() * scale + offset


class Both(nn.Module):
    """Scores and categories as a module's call, which is what `functional_call` calls."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, videos: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.scores_and_categories(videos)


def matrix_of(operator: HessianOperator) -> Tensor:
    return operator @ torch.eye(operator.shape[0], dtype=operator.dtype)


def leading(matrix: Tensor, k: int) -> Tensor:
    values = torch.linalg.eigvalsh(matrix)
    return values[values.abs().argsort(descending=True)[:k]]


def assert_same_eigenvalues(values: Tensor, expected: Tensor, relative: float) -> None:
    """Of two eigenvalues of the same magnitude either may come first: λ and −λ often come together here."""
    values = values.double()
    torch.testing.assert_close(values.abs(), expected.abs(), rtol=relative, atol=0)
    # The last one may be either of a pair, of which the other is left out.
    inner = values.abs() > expected.abs().min() * (1 + 2 * relative)
    inner_expected = expected.abs() > expected.abs().min() * (1 + 2 * relative)
    torch.testing.assert_close(
        values[inner].sort().values, expected[inner_expected].sort().values, rtol=relative, atol=0
    )


@pytest.mark.parametrize(
    ("loss", "training"),
    [("wasserstein", True), ("non-saturating", True), ("hinge", True), ("non-saturating", False)],
    ids=["wasserstein", "non-saturating", "hinge", "evaluation"],
)
@pytest.mark.parametrize("name", NETWORKS)
def test_products_and_leading_eigenvalues_equal_those_of_the_whole_matrix(name: str, loss: str, training: bool) -> None:
    fixed_loss = objective(network(name), loss, training=training)
    expected, operator = dense_hessian(fixed_loss), operator_of(fixed_loss)
    assert operator.shape == tuple(expected.shape)
    assert operator.shape[0] == sum(p.numel() for p in fixed_loss.discriminator.parameters() if p.requires_grad)
    scale = expected.abs().max().item()
    assert scale > 1e-3, "a flat loss would prove nothing"
    block = torch.randn(operator.shape[0], 5, dtype=torch.float64)
    torch.testing.assert_close(operator @ block, expected @ block, rtol=1e-9, atol=1e-9 * scale)
    pairs = lanczos(operator, 10, tolerance=1e-5)
    assert pairs.converged
    assert_same_eigenvalues(pairs.values, leading(expected, 10), 1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_single_precision_is_enough_for_the_leading_eigenvalues(name: str) -> None:
    expected = dense_hessian(objective(network(name)))
    operator = operator_of(objective(network(name, torch.float32)))
    assert operator.dtype == torch.float32
    pairs = lanczos(operator, 10, tolerance=1e-3)
    assert pairs.converged
    assert_same_eigenvalues(pairs.values, leading(expected, 10), 1e-4)


@pytest.mark.parametrize("which", ["LM", "BE"])
def test_scipys_eigsh_finds_the_same_eigenvalues(which: str) -> None:
    operator = operator_of(objective(network("2+1d")))
    expected = torch.from_numpy(eigsh(operator.linear_operator(), 8, which=which, return_eigenvectors=False, tol=1e-9))
    pairs = lanczos(operator, 8, which={"LM": "magnitude", "BE": "ends"}[which], tolerance=1e-6)
    torch.testing.assert_close(pairs.values.sort().values, expected.sort().values, rtol=1e-8, atol=0)


def test_scipys_view_multiplies_as_the_operator_does() -> None:
    operator = operator_of(objective(network("2d", torch.float32)))
    view = operator.linear_operator()
    assert view.shape == operator.shape
    vector = torch.randn(operator.shape[0])
    for product in (view @ vector.double().numpy(), view.T @ vector.double().numpy()):
        assert product.dtype == float
        assert torch.equal(torch.from_numpy(product).float(), operator @ vector)


def test_the_hessian_is_symmetric_and_a_block_is_its_columns() -> None:
    operator = operator_of(objective(network("mixture")))
    matrix = matrix_of(operator)
    torch.testing.assert_close(matrix, matrix.T, rtol=1e-10, atol=1e-12)
    block = torch.randn(operator.shape[0], 3, dtype=torch.float64)
    product = operator @ block
    for number in range(3):
        assert torch.equal(product[:, number], operator @ block[:, number])


def test_products_are_counted() -> None:
    operator = operator_of(objective(network("2d")))
    assert operator.products == 0
    vector = torch.randn(operator.shape[0], dtype=torch.float64)
    _ = operator @ vector
    _ = operator @ vector[:, None].expand(-1, 3)
    _ = operator.linear_operator() @ vector.numpy()
    assert operator.products == 5
    before = operator.products
    assert lanczos(operator, 2).products == operator.products - before


def test_loss_and_gradient_are_those_of_autograd() -> None:
    fixed_loss = objective(network("mixture"))
    operator = operator_of(fixed_loss)
    value = fixed_loss()
    assert operator.loss == value.item()
    gradient = torch.cat([part.flatten() for part in torch.autograd.grad(value, fixed_loss.parameters)])
    torch.testing.assert_close(operator.gradient, gradient, rtol=1e-12, atol=0)
    parts = operator.unflatten(gradient)
    assert [part.shape for part in parts] == [parameter.shape for parameter in fixed_loss.parameters]
    assert torch.equal(operator.flatten(parts), gradient)


def cubic(weights: Tensor, offset: Tensor, unused: Tensor) -> Tensor:
    """Curved in the first, linear in the second, constant in the third."""
    return weights.pow(3).sum() / 6 + 5 * offset.sum()


def test_parameters_in_which_the_loss_is_linear_or_constant_have_no_curvature() -> None:
    tensors = [torch.randn(n, dtype=torch.float64, requires_grad=True) for n in (3, 2, 4)]
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        operator = HessianOperator(lambda: cubic(*tensors), [tensors[number] for number in order])
        diagonal = operator.flatten([tensors[n].detach() if n == 0 else torch.zeros_like(tensors[n]) for n in order])
        torch.testing.assert_close(matrix_of(operator), diagonal.diag())


def test_a_linear_loss_has_a_hessian_of_zeros() -> None:
    weights = torch.randn(5, requires_grad=True)
    operator = HessianOperator(lambda: (3 * weights).sum(), [weights])
    assert torch.equal(matrix_of(operator), torch.zeros(5, 5))
    assert operator.products == 5
    assert torch.equal(operator.gradient, torch.full((5,), 3.0))
    assert lanczos(operator, 2).values.tolist() == [0, 0]


def test_a_loss_of_one_element_is_a_scalar() -> None:
    weights = torch.randn(3, requires_grad=True)
    operator = HessianOperator(lambda: weights.square().sum().view(1, 1), [weights])
    torch.testing.assert_close(matrix_of(operator), 2 * torch.eye(3))


def test_what_stands_in_the_way_of_a_graph_does_not_matter() -> None:
    weights = torch.randn(3, requires_grad=True)
    with torch.no_grad():
        operator = HessianOperator(lambda: weights.square().sum(), [weights])
        torch.testing.assert_close(matrix_of(operator), 2 * torch.eye(3))


def state(discriminator: nn.Module) -> dict[str, object]:
    """Everything of a network and of torch that a measurement could disturb."""
    return {
        **{name: tensor.clone() for name, tensor in discriminator.state_dict().items()},
        **{f"grad of {name}": p.grad.clone() for name, p in discriminator.named_parameters() if p.grad is not None},
        "random": torch.get_rng_state(),
        "modes": torch.tensor([module.training for module in discriminator.modules()]),
        "identities": torch.tensor([id(tensor) for tensor in [*discriminator.parameters(), *discriminator.buffers()]]),
        "places": torch.tensor([tensor.data_ptr() for tensor in discriminator.state_dict().values()]),
    }


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["3d", "spectral"])
def test_nothing_is_disturbed(name: str, training: bool) -> None:
    discriminator = network(name, noise=0.1).train()
    discriminator.layers[1].eval()  # modes of all sorts
    for parameter in discriminator.parameters():
        parameter.grad = torch.randn_like(parameter)
    before = state(discriminator)
    operator = operator_of(objective(discriminator, training=training))
    _ = operator @ torch.ones(operator.shape[0], dtype=torch.float64)
    lanczos(operator, 2)
    after = state(discriminator)
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]), key


def test_noise_is_frozen_and_comes_from_the_seed() -> None:
    discriminator = network("2d", noise=0.3)
    operators = [operator_of(objective(discriminator, seed=seed)) for seed in (0, 0, 1)]
    vector = torch.randn(operators[0].shape[0], dtype=torch.float64)
    first, second, other = (operator @ vector for operator in operators)
    torch.manual_seed(3)
    assert torch.equal(operators[0] @ vector, first)
    assert torch.equal(second, first)
    assert not torch.allclose(other, first, rtol=1e-3)
    matrix = matrix_of(operators[0])
    torch.testing.assert_close(matrix, matrix.T, rtol=1e-10, atol=1e-12)


def test_an_operator_stays_what_it_was_when_buffers_move_on() -> None:
    discriminator = network("spectral")
    operator = operator_of(objective(discriminator))
    vector = torch.randn(operator.shape[0], dtype=torch.float64)
    product = operator @ vector
    discriminator.train()(torch.rand(4, 3, FRAMES, PIXELS, PIXELS, dtype=torch.float64))
    assert torch.equal(operator @ vector, product)


def test_batch_statistics_and_running_ones_curve_differently() -> None:
    discriminator = network("3d")
    vector = torch.ones(operator_of(objective(discriminator)).shape[0], dtype=torch.float64)
    training, evaluation = (operator_of(objective(discriminator, training=mode)) @ vector for mode in (True, False))
    assert (training - evaluation).norm() > 0.01 * training.norm()


@pytest.mark.parametrize("where", ["videos", "weights"])
def test_what_is_not_finite_is_said_to_be_so(where: str) -> None:
    fixed_loss = objective(network("3d"))
    if where == "videos":
        fixed_loss.real.video[0, 0, 0, 0, 0] = torch.nan
    else:
        fixed_loss.parameters[0].data[0] = torch.inf
    with pytest.raises(ValueError, match=r"the loss is nan, so it has no curvature.*diverged run.*\[-1, 1\]"):
        operator_of(fixed_loss)


def test_a_gradient_that_is_not_finite_is_said_to_be_so() -> None:
    weights = torch.zeros(2, requires_grad=True)
    with pytest.raises(ValueError, match="loss is 0, but its gradient is not finite"):
        HessianOperator(lambda: weights.sqrt().sum(), [weights])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda weights: weights.square(), "the loss must be a scalar"),
        (lambda weights: weights.square().sum().item(), "the loss must be a scalar tensor"),
        (lambda weights: weights.detach().square().sum(), "that depends on the parameters"),
    ],
)
def test_what_is_no_loss_is_refused(loss, message: str) -> None:
    weights = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match=message):
        HessianOperator(lambda: loss(weights), [weights])


def test_a_loss_of_other_parameters_is_refused() -> None:
    weights, others = torch.ones(3, requires_grad=True), torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="depends on none of them"):
        HessianOperator(lambda: others.square().sum(), [weights])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "at least one"),
        ([torch.ones(2)], "require gradients"),
        ([torch.ones(2, requires_grad=True), torch.ones(2)], "require gradients"),
        (
            [torch.ones(2, requires_grad=True), torch.ones(2, dtype=torch.float64, requires_grad=True)],
            "share a dtype.*float32.*float64",
        ),
    ],
)
def test_parameters_that_will_not_do_are_refused(parameters: list[Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HessianOperator(lambda: sum(p.square().sum() for p in parameters), parameters)


@pytest.mark.parametrize("shape", [(4,), (2,), (3, 3, 1), (1, 3), ()], ids=str)
def test_vectors_of_another_length_are_refused(shape: tuple[int, ...]) -> None:
    weights = torch.ones(3, requires_grad=True)
    operator = HessianOperator(lambda: weights.square().sum(), [weights])
    with pytest.raises(ValueError, match=r"3 entries.*got "):
        _ = operator @ torch.ones(shape)
    assert operator.products == 0


def test_a_product_that_is_not_finite_is_said_to_be_so() -> None:
    weights = torch.zeros(2, requires_grad=True)
    operator = HessianOperator(lambda: weights.pow(1.5).sum(), [weights])  # gradient 0, curvature infinite
    with pytest.raises(ValueError, match="not finite"):
        lanczos(operator, 1)


def test_the_curvature_that_a_step_meets_has_the_eigenvalues_of_the_scaled_hessian() -> None:
    operator = operator_of(objective(network()))
    scale = torch.rand(operator.shape[0], generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    scale[::7] = 0  # parameters that do not move
    scaled = ScaledOperator(operator, scale)
    identity = torch.eye(operator.shape[0], dtype=torch.float64)
    whole = torch.stack([scaled @ column for column in identity], dim=1)
    torch.testing.assert_close(whole, whole.T)
    expected = torch.linalg.eigvals(scale[:, None] * (operator @ identity)).real.sort().values
    torch.testing.assert_close(torch.linalg.eigvalsh((whole + whole.T) / 2), expected, atol=1e-9, rtol=1e-6)
    ends = lanczos(scaled, 2, which="ends")
    torch.testing.assert_close(ends.values, expected[[-1, 0]], rtol=1e-3, atol=1e-6)


def test_a_scaled_step_overshoots_where_an_eigenvalue_passes_two() -> None:
    """On a quadratic loss: the step that the scale stands for ends higher along one axis, lower along the other."""
    curvature, scale = torch.diag(torch.tensor([30.0, 1.0])), torch.tensor([0.1, 0.5])
    values = torch.linalg.eigvalsh(torch.stack([ScaledOperator(curvature, scale) @ e for e in torch.eye(2)]))
    assert values.tolist() == pytest.approx([0.5, 3.0])
    for axis, overshoots in ((0, True), (1, False)):
        before = torch.eye(2)[axis]
        after = before - scale * (curvature @ before)
        assert (after @ curvature @ after > before @ curvature @ before) == overshoots


@pytest.mark.parametrize(
    ("scale", "message"),
    [(torch.ones(2), "the 3 entries"), (torch.tensor([1, 1, torch.inf]), "finite"), (-torch.ones(3), "not negative")],
)
def test_a_scale_that_no_step_has_is_refused(scale: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScaledOperator(torch.eye(3), scale)
