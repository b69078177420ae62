"""What a discriminator minimises, as a function of its weights alone.

Curvature is that of a function, and a training step is not one yet: its clips and latents are drawn anew each time,
batch normalisation remembers, noise is noise. Here all of that is held fast, and the network is left as it was.
"""

import contextlib
import functools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ldvd_lib import losses
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import noise_from
from ldvd_lib.gan import VideoGAN
from ldvd_lib.objective import Objective, add
from ldvd_lib.views import view_of


@contextlib.contextmanager
def undisturbed(module: nn.Module, *, training: bool, seed: int) -> Iterator[nn.Module]:
    """Run a module without leaving a trace: it works on copies of its buffers, and its noise has a stream of its own.

    Batch normalisation's running statistics, the vectors of spectral normalisation and the modes of all submodules are
    afterwards what they were; torch's global generators are not touched at all.

    Args:
        module: any module.
        training: its mode within the block.
        seed: of the instance noise within the block, so that it is the same each time.
    """
    children = list(module.modules())
    modes = [child.training for child in children]
    buffers = [dict(child._buffers) for child in children]
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    with noise_from(torch.Generator(device).manual_seed(seed), module):
        try:
            module.train(training)
            # Copies, not a restoration: what the graph has saved must not be written to afterwards.
            for child in children:
                child._buffers.update({n: b.clone() for n, b in child._buffers.items() if b is not None})
            yield module
        finally:
            for child, mode, own in zip(children, modes, buffers, strict=True):
                child.training = mode
                child._buffers.update(own)


@contextlib.contextmanager
def batch_norm_by_formula(module: nn.Module) -> Iterator[None]:
    """Within the block, batch normalisation in training mode is computed by its formula, to the same values.

    The derivatives of a penalty on gradients are one order higher, and PyTorch's own batch normalisation (2.13) has
    wrong third derivatives. Running statistics are not updated.
    """

    def by_formula(layer: _BatchNorm, x: Tensor) -> Tensor:
        if not layer.training:
            return type(layer).forward(layer, x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        normal = (x - mean) / (variance + layer.eps).sqrt()
        if layer.weight is None:
            return normal
        return normal * layer.weight.view(mean.shape[1:]) + layer.bias.view(mean.shape[1:])

    layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
    for layer in layers:
        layer.forward = functools.partial(by_formula, layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


class DiscriminatorObjective:
    """V(G, D) on a fixed batch, as a function of the parameters of one discriminator.

    Calling it gives the scalar loss that the discriminator minimises, all terms of it, differentiable in `parameters`.
    Every call sees the same videos, the same noise, and buffers as they are outside.

    Args:
        objective: what the players of the game minimise.
        name: which discriminator.
        real, fake: videos as the discriminator sees them, on its device.
        training: batch normalisation with the statistics of the batch, as in training (real and fake separately);
            otherwise with its running statistics.
        seed: of the noise, and of the places between real and fake.

    Raises:
        ValueError: if there is no such discriminator; if it tells classes apart and the real videos have no labels; if
            it has nothing to learn; or if it is compiled, for compiled networks have no second derivatives.

    Source: LDVD paper, section on Hessian analysis; MODELS §6.
    """

    def __init__(
        self, objective: Objective, name: str, real: Batch, fake: Batch, *, training: bool = True, seed: int = 0
    ) -> None:
        self.discriminator = objective.network(name)
        if self.discriminator.num_categories and real.labels is None:
            raise ValueError("the discriminator classifies its videos: give the labels of the real ones")
        _check_not_compiled(self.discriminator)
        self.objective, self.name, self.real, self.fake = objective, name, real, fake.detach()
        self.training, self.seed = training, seed
        self.parameters = [parameter for parameter in self.discriminator.parameters() if parameter.requires_grad]
        if not self.parameters:
            raise ValueError("the discriminator has no parameter that requires a gradient")

    def __call__(self) -> Tensor:
        """The loss, a scalar."""
        random = torch.Generator().manual_seed(self.seed)
        penalized = bool(self.objective.r1 or self.objective.gradient_penalty)
        norms = batch_norm_by_formula(self.discriminator) if penalized else contextlib.nullcontext()
        with undisturbed(self.discriminator, training=self.training, seed=self.seed), norms:
            return add(self.objective.discriminator(self.name, self.real, self.fake, random))

    def steepness(self) -> float:
        """The largest norm of the gradient of a clip's score by its pixels, over real and generated clips and mixtures.

        It is what can be seen of the critic's Lipschitz constant where it is used: the constant is at least as large
        (but for batch normalisation, through which the clips of a batch act on each other's scores).
        """
        random = torch.Generator().manual_seed(self.seed)
        steepest = 0.0
        with undisturbed(self.discriminator, training=self.training, seed=self.seed):
            for batch in (self.real, self.fake, losses.mix(self.real, self.fake, random)):
                clips = tuple(level.detach().requires_grad_() for level in batch.levels)
                watched = batch._replace(videos=clips if isinstance(batch.videos, tuple) else clips[0])
                scores, _ = self.discriminator.score(watched)
                steepest = max(steepest, losses.gradient_norms(scores, clips).max().item())
        return steepest


def objective_of(
    gan: VideoGAN,
    name: str,
    videos: Tensor,
    *,
    labels: Tensor | None = None,
    training: bool = True,
    seed: int = 0,
) -> DiscriminatorObjective:
    """The objective of one of a GAN's discriminators, on given real videos and as many generated ones.

    The generator paints in training mode, as it does when the discriminator is trained, and is left as it was. The
    discriminator sees of both what its view shows: a discriminator of single frames, one frame of each video.

    Args:
        gan: the networks, and the recipe that names the loss.
        name: which discriminator.
        videos: real ones, ``(N, C, T, H, W)`` in [-1, 1], on the networks' device.
        labels: their classes, ``(N,)`` int64; needed by a discriminator with categories.
        training: the discriminator's mode; see `DiscriminatorObjective`.
        seed: of latents, of the choice of frames, and of noise.

    Raises:
        ValueError: for a name that the GAN does not have, or videos of another shape than its own; and what
            `DiscriminatorObjective` raises.
    """
    objective = Objective(gan.discriminators, gan.recipe)
    _check_not_compiled(objective.network(name))  # now, for the generator is compiled, too, and would take its time
    view = view_of(objective.network(name), gan.num_frames)
    expected = (3, gan.num_frames, gan.image_size, gan.image_size)
    if videos.ndim != 5 or tuple(videos.shape[1:]) != expected:
        raise ValueError(f"videos must be (N, {', '.join(map(str, expected))}) for this GAN, got {tuple(videos.shape)}")
    generator = gan.generator
    random = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
    latents = generator.sample_latents(len(videos), generator=random).to(videos.device)
    with torch.no_grad(), undisturbed(generator, training=True, seed=seed):
        real = view(generator.match_real(Batch(videos, labels), random), random)
        fake = generator.generate(latents, {name: view}, random).seen[name]
    return DiscriminatorObjective(objective, name, real, fake, training=training, seed=seed)


def _check_not_compiled(discriminator: nn.Module) -> None:
    if discriminator._compiled_call_impl is not None:
        raise ValueError(
            "the discriminator is compiled, and compiled networks have no second derivatives: build it anew, "
            "without compile=True"
        )
