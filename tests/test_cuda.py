"""What a GPU computes is what a CPU computes. Needs nothing but PyTorch, NumPy and the library."""

import copy
from collections.abc import Iterator

import pytest
import torch
from tiny import configs, sampler

from ldvd_lib.batch import Batch
from ldvd_lib.data import actions
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.hessian import DiscriminatorObjective, HessianOperator
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import GAMES, Recipe
from ldvd_lib.training.play import Source, play
from ldvd_lib.training.players import Players

pytestmark = pytest.mark.cuda


@pytest.fixture(autouse=True)
def full_float32() -> Iterator[None]:
    """No TF32: its factors have ten bits of precision, and what is compared here would differ by that."""
    switches = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [switch.allow_tf32 for switch in switches]
    for switch in switches:
        switch.allow_tf32 = False
    yield
    for switch, value in zip(switches, before, strict=True):
        switch.allow_tf32 = value


@pytest.mark.parametrize("name", [name for name in configs() if "noise" not in name])
def test_a_step_gives_the_losses_and_gradients_of_the_cpu(name: str) -> None:
    config = configs()[name].with_recipe(svc_every=1)
    on_cpu = config.build(seed=1).train()
    on_gpu = copy.deepcopy(on_cpu).to("cuda")
    reports, players = [], []
    for gan in (on_cpu, on_gpu):
        own_players, clips = Players(gan), sampler()
        # Latents are drawn on the CPU: the streams of a GPU are others.
        source = Source(
            lambda clips=clips, gan=gan: clips.next_batch().to(gan.device), 4, torch.Generator().manual_seed(0)
        )
        reports.append(play(GAMES[config.recipe.game], Objective(gan.discriminators, gan.recipe), own_players, source))
        own_players.finish(1)
        players.append(own_players)
    assert reports[1].keys() == reports[0].keys()
    for term, value in reports[0].items():
        assert reports[1][term].device.type == "cuda"
        torch.testing.assert_close(reports[1][term].cpu(), value, rtol=1e-3, atol=1e-4, msg=term)
    for player in players[0].optimizers:
        first, second = ([p.grad.cpu() for p in own.parameters(player)] for own in players)
        size = torch.cat([gradient.flatten() for gradient in first]).norm()
        difference = torch.cat([(a - b).flatten() for a, b in zip(first, second, strict=True)]).norm()
        assert difference <= 1e-2 * size, player


@pytest.mark.parametrize("kinds", [("3d", "3d"), ("2+1d", "2d"), ("shift", "2d")], ids=" ".join)
def test_a_product_with_the_hessian_is_that_of_the_cpu(kinds: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    on_cpu = VideoDiscriminator(kinds, 8, 4, base_channels=4, init="xavier").double()
    random = torch.Generator().manual_seed(1)
    real, fake = (torch.rand(4, 3, 4, 8, 8, generator=random, dtype=torch.float64) * 2 - 1 for _ in range(2))
    products = []
    for network in (on_cpu, copy.deepcopy(on_cpu).cuda()):
        device = next(network.parameters()).device
        game = Objective({"video": network}, Recipe(loss="non-saturating"))
        fixed_loss = DiscriminatorObjective(game, "video", Batch(real.to(device)), Batch(fake.to(device)))
        operator = HessianOperator(fixed_loss, fixed_loss.parameters)
        vector = torch.randn(operator.shape[0], generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        products.append((operator @ vector.to(device)).cpu())
    assert products[0].norm() > 0
    assert (products[1] - products[0]).norm() <= 1e-8 * products[0].norm()


def test_rendering_in_processes_and_a_gpu_go_together() -> None:
    """Processes that are forked when CUDA is in use must not touch it."""
    torch.zeros(1, device="cuda")
    options = {"image_size": 16, "clips_per_class": 2, "frames_per_clip": 2, "progress": False}
    several, one = (actions.render_store(**options, workers=workers) for workers in (2, 1))
    assert (several.frames == one.frames).all()
