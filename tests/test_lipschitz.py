"""Singular value clipping and the norms it bounds."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from ldvd_lib import lipschitz
from ldvd_lib.discriminators import VideoDiscriminator

# Wide, square and tall as matrices, of every number of dimensions that a convolution's weight has.
SHAPES = [(64, 3, 4, 4, 4), (64, 3, 1, 4, 4), (128, 16, 4, 1, 1), (32, 2, 4, 4), (1, 512, 4, 4)]


def random_weight(shape: tuple[int, ...], largest: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)
    return (weight * largest / lipschitz.singular_values(weight)[0]).to(dtype)


def clipped_by_svd(weight: torch.Tensor) -> torch.Tensor:
    u, s, vh = torch.linalg.svd(lipschitz.as_matrix(weight).double(), full_matrices=False)
    return ((u * s.clamp(max=1)) @ vh).reshape(weight.shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("largest", [1.01, 2.0, 50.0])
def test_clipping_equals_a_float64_svd(shape: tuple[int, ...], largest: float) -> None:
    weight = random_weight(shape, largest)
    exact = clipped_by_svd(weight)
    lipschitz.clip_matrix_(weight)
    assert (weight.double() - exact).norm() / exact.norm() <= 1e-5
    assert lipschitz.singular_values(weight)[0] <= 1 + 1e-5


def test_small_singular_values_survive_beside_a_huge_one() -> None:
    """The Gram matrix squares the condition number: values near 1 must not drown in the rounding of a large one."""
    generator = torch.Generator().manual_seed(0)
    u = torch.linalg.qr(torch.randn(40, 40, generator=generator, dtype=torch.float64)).Q
    v = torch.linalg.qr(torch.randn(160, 40, generator=generator, dtype=torch.float64)).Q
    values = torch.linspace(0.5, 1.5, 40, dtype=torch.float64)
    values[-1] = 1e3
    weight = ((u * values) @ v.T).float().view(40, 10, 4, 4)
    lipschitz.clip_matrix_(weight)
    expected = values.clamp(max=1).sort(descending=True).values
    # 1000 · 2⁻²⁴ is what rounding the weight itself to float32 costs.
    torch.testing.assert_close(lipschitz.singular_values(weight), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_clipping_twice_is_clipping_once(shape: tuple[int, ...]) -> None:
    once = lipschitz.clip_matrix_(random_weight(shape, 3.0))
    twice = lipschitz.clip_matrix_(once.clone())
    assert torch.equal(once, twice)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_weight_within_the_bound_is_untouched(shape: tuple[int, ...]) -> None:
    weight = random_weight(shape, 0.999)
    assert torch.equal(lipschitz.clip_matrix_(weight.clone()), weight)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_dtypes_keep_their_dtype(dtype: torch.dtype) -> None:
    weight = random_weight((16, 4, 4, 4), 2.0, dtype)
    exact = clipped_by_svd(weight)
    lipschitz.clip_matrix_(weight)
    assert weight.dtype == dtype
    assert (weight.double() - exact).norm() / exact.norm() <= (1e-12 if dtype == torch.float64 else 4e-3)


def test_memory_format_does_not_matter_and_is_kept() -> None:
    weight = random_weight((16, 8, 4, 4, 4), 2.0)
    last = weight.to(memory_format=torch.channels_last_3d)
    lipschitz.clip_matrix_(weight)
    lipschitz.clip_matrix_(last)
    assert last.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(last, weight, rtol=0, atol=1e-6)


def test_gamma_is_clipped_to_the_running_deviation() -> None:
    norm = nn.BatchNorm3d(4)
    norm.running_var.copy_(torch.tensor([4.0, 4.0, 0.25, 0.25]))
    norm.weight.data.copy_(torch.tensor([3.0, 1.0, 1.0, -1.0]))
    lipschitz.clip_gamma_(norm)
    assert torch.equal(norm.weight.data, torch.tensor([2.0, 1.0, 0.5, 0.005]))


def test_a_whole_discriminator_is_clipped_in_place() -> None:
    discriminator = VideoDiscriminator(("3d", "2d"), 16, 16, base_channels=8, init="xavier", bias=True)
    for parameter in discriminator.parameters():
        parameter.data.mul_(10)
    before = {name: parameter.clone() for name, parameter in discriminator.named_parameters()}
    lipschitz.clip_singular_values_(discriminator)
    rows = {row.name: row for row in lipschitz.spectral_norms(discriminator)}
    assert set(rows) == {"layers.0.0", "layers.1.0", "layers.1.1", "head"}
    assert all(row.norm <= 1 + 1e-5 for row in rows.values())
    for name, parameter in discriminator.named_parameters():
        changed = not torch.equal(parameter, before[name])
        assert changed == (not name.endswith("bias")), name


def test_nan_names_the_parameter() -> None:
    discriminator = VideoDiscriminator(("2d", "2d"), 16, 4, base_channels=4)
    discriminator.layers[1][0].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"layers\.1\.0\.weight.*NaN"):
        lipschitz.clip_singular_values_(discriminator)


def test_operator_norm_equals_the_dense_matrix_of_the_convolution() -> None:
    layer = nn.Conv3d(2, 3, 4, stride=2, padding=1).double()
    shape = (2, 4, 6, 6)
    columns = torch.eye(2 * 4 * 6 * 6, dtype=torch.float64).view(-1, *shape)
    with torch.no_grad():
        dense = (layer(columns) - layer(torch.zeros(1, *shape, dtype=torch.float64))).flatten(1)
    assert lipschitz.operator_norm(layer, shape, iterations=500) == pytest.approx(
        torch.linalg.matrix_norm(dense, 2).item(), rel=1e-3
    )


def test_the_matrix_norm_does_not_bound_the_operator_norm() -> None:
    """A kernel of matrix norm 1 can stretch a video, as patches overlap: the course says so of SVC."""
    layer = nn.Conv3d(1, 1, 4, stride=2, padding=1, bias=False)
    nn.init.constant_(layer.weight, 1 / 8)  # 64 equal entries: norm 1 as a matrix
    assert lipschitz.singular_values(layer.weight)[0] == pytest.approx(1)
    assert lipschitz.operator_norm(layer, (1, 16, 16, 16)) > 2


# Without reading values: what runs on every device but a CPU, and can be run on a CPU, too

clip_without_reading_ = torch.no_grad()(lipschitz._clip_without_reading_)


class NoReads(TorchDispatchMode):
    """Fails when a value of a tensor decides something in Python: on a GPU that waits for all work before it."""

    READS = ("aten::_local_scalar_dense", "aten::nonzero", "aten::is_nonzero", "aten::masked_select")

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.name()
        assert not name.startswith(self.READS), f"{name} reads values from the device"
        if name.startswith("aten::index"):
            assert all(index is None or index.dtype != torch.bool for index in args[1]), f"{name} with a mask"
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("largest", [1.01, 2.0, 50.0, 1e4])
def test_without_reading_equals_a_float64_svd(shape: tuple[int, ...], largest: float) -> None:
    weight = random_weight(shape, largest)
    exact, usual = clipped_by_svd(weight), lipschitz.clip_matrix_(weight.clone())
    assert clip_without_reading_(weight) is weight
    assert (weight.double() - exact).norm() / exact.norm() <= 1e-6
    assert lipschitz.singular_values(weight)[0] <= 1 + 1e-6
    # The usual way loses digits of float32 where it takes a large excess away.
    torch.testing.assert_close(weight, usual, rtol=0, atol=1e-6 * max(1, largest / 10))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_without_reading_twice_is_once(shape: tuple[int, ...]) -> None:
    once = clip_without_reading_(random_weight(shape, 30.0))
    assert torch.equal(once, clip_without_reading_(once.clone()))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_without_reading_nothing_happens_within_the_bound(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    weight = random_weight(shape, 0.99, dtype)
    weight[0, 0] = -0.0  # whose sign would not survive the subtraction of a negative zero
    clipped = clip_without_reading_(weight.clone())
    assert torch.equal(clipped, weight)
    assert torch.equal(clipped.signbit(), weight.signbit())


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_without_reading_what_is_not_finite_stays(wrong: float) -> None:
    weight = random_weight((16, 4, 4, 4), 3.0)
    weight[3, 2, 1, 0] = wrong
    assert torch.equal(clip_without_reading_(weight.clone()).view(torch.int32), weight.view(torch.int32))


def test_a_whole_discriminator_is_clipped_without_reading(monkeypatch) -> None:
    discriminator = VideoDiscriminator(("3d", "2d"), 16, 16, base_channels=8, init="xavier", bias=True)
    for parameter in discriminator.parameters():
        parameter.data.mul_(10)
    with pytest.raises(AssertionError, match="reads values"), NoReads():
        lipschitz.clip_singular_values_(discriminator)
    monkeypatch.setattr(lipschitz, "clip_matrix_", clip_without_reading_)
    with NoReads():
        lipschitz.clip_singular_values_(discriminator)
    assert all(row.norm <= 1 + 1e-5 for row in lipschitz.spectral_norms(discriminator))


@pytest.mark.parametrize("read", [lambda x: bool(x.any()), lambda x: x[x > 0], lambda x: x.sum().item()])
def test_reads_are_noticed(read) -> None:
    """What the test above goes by, planted."""
    with pytest.raises(AssertionError, match=r"reads values|mask"), NoReads():
        read(torch.randn(3))


# Apple's GPUs, which know no float64


class OnMPS(torch.Tensor):
    """A tensor that says it is on MPS, and refuses there what MPS refuses."""

    device = torch.device("mps")

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        result = super().__torch_function__(function, types, args, kwargs)
        if isinstance(result, OnMPS) and result.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64")
        return result

    def cpu(self) -> torch.Tensor:
        return self.as_subclass(torch.Tensor).clone()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_weights_on_mps_are_clipped_as_on_a_cpu(shape: tuple[int, ...]) -> None:
    weight = random_weight(shape, 3.0)
    on_mps = weight.clone().as_subclass(OnMPS)
    with pytest.raises(TypeError, match="float64"):
        on_mps.double()
    assert torch.equal(lipschitz.singular_values(on_mps), lipschitz.singular_values(weight))
    assert lipschitz.clip_matrix_(on_mps) is on_mps
    assert torch.equal(on_mps.cpu(), lipschitz.clip_matrix_(weight))


def test_a_weight_on_mps_that_is_not_finite_is_told() -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        lipschitz.clip_matrix_(torch.full((2, 2, 2, 2), torch.nan).as_subclass(OnMPS))


@pytest.mark.cuda
@pytest.mark.parametrize("largest", [0.999, 3.0, 50.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cuda_equals_cpu(shape: tuple[int, ...], largest: float) -> None:
    weight = random_weight(shape, largest)
    on_gpu = lipschitz.clip_matrix_(weight.cuda())
    torch.testing.assert_close(on_gpu.cpu(), clip_without_reading_(weight.clone()), rtol=0, atol=1e-6)
    torch.testing.assert_close(on_gpu.cpu(), lipschitz.clip_matrix_(weight), rtol=0, atol=1e-5)


@pytest.mark.cuda
def test_cuda_does_not_wait(monkeypatch) -> None:
    """But in eigh, which looks whether it has converged."""
    discriminator = VideoDiscriminator(("3d", "2d"), 16, 16, base_channels=8).cuda()
    for parameter in discriminator.parameters():
        parameter.data.mul_(10)
    eigh = torch.linalg.eigh

    def eigh_may_wait(matrix: torch.Tensor) -> object:
        torch.cuda.set_sync_debug_mode("default")
        try:
            return eigh(matrix)
        finally:
            torch.cuda.set_sync_debug_mode("error")

    lipschitz.clip_singular_values_(discriminator)  # once, for what waits the first time: libraries that are loaded
    monkeypatch.setattr(torch.linalg, "eigh", eigh_may_wait)
    try:
        torch.cuda.set_sync_debug_mode("error")
        lipschitz.clip_singular_values_(discriminator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(row.norm <= 1 + 1e-5 for row in lipschitz.spectral_norms(discriminator))
