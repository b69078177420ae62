"""What moves the weights."""

import pytest
import tiny
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from ldvd_lib.recipe import Recipe
from ldvd_lib.training import sample_videos
from ldvd_lib.training.players import Players, step_sizes


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(optimizer="adam", betas=(0.0, 0.9))], ids=["rmsprop", "adam"])
def test_a_step_is_as_long_as_is_said(recipe: Recipe) -> None:
    """Without momentum, the step just made is the size times the gradient, since v has that gradient in it."""
    torch.manual_seed(0)
    parameters = [nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(4))]
    still = nn.Parameter(torch.randn(2))
    optimizer = recipe.make_optimizer([*parameters, still], 0.01)
    for _ in range(5):
        before = [parameter.detach().clone() for parameter in parameters]
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()
    sizes = step_sizes(optimizer)
    moved = torch.cat([(old - new).flatten() for old, new in zip(before, parameters, strict=True)]).detach()
    gradient = torch.cat([parameter.grad.flatten() for parameter in parameters])
    torch.testing.assert_close(moved, sizes[:10] * gradient, atol=1e-6, rtol=1e-4)
    assert sizes[10:].tolist() == [0, 0]


@pytest.mark.parametrize("optimizer", [torch.optim.RMSprop, torch.optim.SGD])
def test_what_has_no_size_yet_or_ever_is_refused(optimizer: type[torch.optim.Optimizer]) -> None:
    parameter = nn.Parameter(torch.ones(2))
    made = optimizer([parameter], lr=0.1)
    if optimizer is torch.optim.SGD:
        parameter.grad = torch.ones(2)
        made.step()
    with pytest.raises(ValueError, match="RMSprop and Adam"):
        step_sizes(made)


@pytest.mark.parametrize(("decay", "shares"), [("none", [1, 1, 1, 1]), ("linear", [1, 0.75, 0.25, 0])])
def test_rates_stay_or_fall_in_a_line_to_nothing(decay: str, shares: list[float]) -> None:
    recipe = {"rate_decay": decay, "iterations": 8, "generator_rate": 1e-3, "discriminator_rate": 4e-3}
    players = Players(tiny.plain().with_recipe(**recipe).build())
    for step, share in zip((0, 2, 6, 9), shares, strict=True):
        players.set_step(step)
        for name, rate in (("generator", 1e-3), ("video", 4e-3)):
            (group,) = players.optimizers[name].param_groups
            assert group["lr"] == pytest.approx(rate * share)


@pytest.mark.parametrize("temporal", ["convgru", "tgan"])
def test_an_average_of_weights_that_are_divided_by_their_norms_is_divided_by_its_own(temporal: str) -> None:
    """Spectral normalisation's vectors are no average: they come from the generator, and must find the average's."""
    players = Players(tiny.dvdgan(temporal).build(seed=1))
    random = torch.Generator().manual_seed(0)
    for step in range(1, 6):  # weights that wander far
        with torch.no_grad():
            for parameter in players.generator.parameters():
                parameter += torch.randn(parameter.shape, generator=random)
            players.generator(players.latents(4, random))
        players.finish(step)
    average = players.sampling_generator().eval()
    norms = {
        name: torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        for name, layer in average.named_modules()
        if is_parametrized(layer) and not isinstance(layer, nn.ConvTranspose1d)
    }
    assert len(norms) > 10
    assert all(norm == pytest.approx(1, abs=0.1) for norm in norms.values()), norms
    # Its statistics are of what it paints: a latent gives one video, whatever else is in the batch.
    latents = players.latents(4, random)
    torch.testing.assert_close(sample_videos(average, latents=latents)[:1], sample_videos(average, latents=latents[:1]))


def test_an_average_is_the_same_however_often_it_was_asked_for() -> None:
    """A resumed run samples at other steps than the uninterrupted one, and must end with the same average."""
    found = []
    for asked in (False, True):
        players, random = Players(tiny.dvdgan().build(seed=1)), torch.Generator().manual_seed(0)
        for step in range(1, 4):
            with torch.no_grad():
                players.generator(players.latents(4, random))
                for parameter in players.generator.parameters():
                    parameter += torch.randn(parameter.shape, generator=random)
            players.finish(step)
            if asked:
                players.sampling_generator()
        found.append(players.sampling_generator().state_dict())
    assert all(torch.equal(value, found[1][key]) for key, value in found[0].items())
