"""What a discriminator minimises, as a function of its weights alone."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from ldvd_lib import losses
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import InstanceNoise
from ldvd_lib.discriminators import Discriminator, VideoDiscriminator
from ldvd_lib.hessian import DiscriminatorObjective, objective_of, undisturbed
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import Recipe

NAMES = ["tgan", "tgan with noise", "tgan with spectral normalisation", "mocogan", "mocogan with noise"]


def state(module: nn.Module) -> list[torch.Tensor]:
    """What a measurement could disturb, random stream included."""
    tensors = [*module.parameters(), *module.buffers()]
    return [
        torch.get_rng_state(),
        torch.tensor([child.training for child in module.modules()]),
        torch.tensor([tensor.data_ptr() for tensor in tensors]),
        *(tensor.detach().clone() for tensor in tensors),
    ]


def same(one: list[torch.Tensor], two: list[torch.Tensor]) -> bool:
    return len(one) == len(two) and all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.fixture
def videos(make_sampler) -> tuple[torch.Tensor, torch.Tensor]:
    return make_sampler().peek(4)[:2]


@pytest.mark.parametrize("name", NAMES)
def test_every_call_gives_the_same_loss_and_leaves_no_trace(configs, videos, name: str) -> None:
    gan = configs[name].build().train()
    gan.generator.eval()
    before = state(gan)
    for discriminator in gan.discriminators:
        objective = objective_of(gan, discriminator, *videos[:1], labels=videos[1])
        values = [objective().item() for _ in range(3)]
        assert values[0] == values[1] == values[2]
        assert same(state(gan), before)
        objective().backward()
        assert all(parameter.grad is not None for parameter in objective.parameters)
        assert all(parameter.grad is None for parameter in gan.generator.parameters())


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_the_loss_is_that_of_a_step(configs, videos, loss: str) -> None:
    """Generated batch first, then the real one, each with statistics of its own, written out."""
    gan = configs["tgan"].with_recipe(loss=loss).build().train()
    value = objective_of(gan, "video", videos[0], seed=5)()
    with torch.no_grad():
        fake = gan.generator(gan.generator.sample_latents(4, generator=torch.Generator().manual_seed(5)))
        discriminator = gan.discriminators["video"]
        fake_scores, real_scores = discriminator(fake), discriminator(videos[0])
    torch.testing.assert_close(value.detach(), losses.get(loss).discriminator(real_scores, fake_scores))


def test_evaluation_uses_the_running_statistics(configs, videos) -> None:
    gan = configs["tgan"].build().train()
    with torch.no_grad():
        for _ in range(3):
            gan.discriminators["video"](torch.rand_like(videos[0]))
    training, evaluation = (objective_of(gan, "video", videos[0], training=mode) for mode in (True, False))
    assert training() != evaluation()
    alone = copy.deepcopy(gan.discriminators["video"]).eval()
    expected = alone(evaluation.fake.video).mean() - alone(evaluation.real.video).mean()
    torch.testing.assert_close(evaluation(), expected)


def test_categories_add_their_cross_entropy(configs, videos) -> None:
    gan = configs["mocogan"].build().train()
    objective = objective_of(gan, "video", videos[0], labels=videos[1])
    with undisturbed(gan.discriminators["video"], training=True, seed=0) as discriminator:
        fake_scores = discriminator(objective.fake.video)
        real_scores, logits = discriminator.scores_and_categories(objective.real.video)
    expected = softplus(fake_scores).mean() + softplus(-real_scores).mean() + cross_entropy(logits, videos[1])
    torch.testing.assert_close(objective(), expected)


def test_categories_need_labels(configs, videos) -> None:
    gan = configs["mocogan"].build()
    with pytest.raises(ValueError, match="give the labels"):
        objective_of(gan, "video", videos[0])
    objective_of(gan, "image", videos[0], labels=videos[1])()  # has no categories: labels are left out


def test_an_image_discriminator_gets_one_frame_of_each_video(configs, videos) -> None:
    gan = configs["mocogan"].build()
    objective = objective_of(gan, "image", videos[0])
    assert objective.real.video.shape == objective.fake.video.shape == (4, 3, 1, 8, 8)
    for frame, video in zip(objective.real.video, videos[0], strict=True):
        assert any(torch.equal(frame, video[:, number : number + 1]) for number in range(4))


def test_the_seed_decides_latents_and_noise(configs, videos) -> None:
    gan = configs["tgan with noise"].build().train()
    one, two, other = (objective_of(gan, "video", videos[0], seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.fake.video, two.fake.video)
    assert one() == two()
    assert not torch.equal(one.fake.video, other.fake.video)
    same_videos = DiscriminatorObjective(one.objective, "video", one.real, one.fake, seed=7)
    assert same_videos() != one()


def test_fixed_parameters_are_left_out() -> None:
    discriminator = VideoDiscriminator(("2d", "2d"), 8, 4, base_channels=2, train_beta=False)
    videos = torch.zeros(2, 3, 4, 8, 8)
    game, batch = Objective({"video": discriminator}, Recipe(loss="hinge")), Batch(videos)
    objective = DiscriminatorObjective(game, "video", batch, batch)
    assert len(objective.parameters) == len(list(discriminator.parameters())) - 1
    discriminator.requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter that requires a gradient"):
        DiscriminatorObjective(game, "video", batch, batch)


def test_unknown_discriminators_and_videos_that_do_not_fit_are_named(configs, videos) -> None:
    gan = configs["mocogan"].build()
    with pytest.raises(ValueError, match=r"discriminator 'audio' is unknown.*\['image', 'video'\]"):
        objective_of(gan, "audio", videos[0])
    for wrong in (videos[0][:, :, :2], videos[0][0]):
        with pytest.raises(ValueError, match=r"videos must be \(N, 3, 4, 8, 8\)"):
            objective_of(gan, "image", wrong)


class Restless(nn.Module):
    """Counts its calls in a buffer, in place and anew, and is noisy."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("last", torch.zeros(1))
        self.register_buffer("nothing", None)
        self.noise = InstanceNoise(1.0)

    def forward(self) -> torch.Tensor:
        self.count += 1
        self.last = self.noise.train()(torch.zeros(1))
        return self.count.clone(), self.last


def test_undisturbed_gives_buffers_modes_and_noise_back_even_after_an_error() -> None:
    module = nn.Sequential(Restless(), nn.Sequential(Restless()).eval())
    before = state(module)
    with undisturbed(module, training=False, seed=3):
        assert not any(child.training for child in module.modules())
        first = [module[0](), module[0]()]
    assert [count.item() for count, _ in first] == [1, 2]
    assert same(state(module), before)
    with pytest.raises(ArithmeticError), undisturbed(module, training=True, seed=3):
        assert all(child.training for child in module.modules())
        assert torch.equal(module[0]()[1], first[0][1])
        raise ArithmeticError
    assert same(state(module), before)
    assert "nothing" in module[0]._buffers


def test_a_linear_critic_is_as_steep_as_its_weight_is_long() -> None:
    class Linear(Discriminator):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3 * 4 * 8 * 8, 1, bias=False)

        def forward(self, videos: torch.Tensor) -> torch.Tensor:
            return self.layer(videos.flatten(1))[:, 0]

    torch.manual_seed(0)
    critic = Linear()
    real, fake = (Batch(torch.rand(2, 3, 4, 8, 8)) for _ in range(2))
    objective = DiscriminatorObjective(Objective({"video": critic}, Recipe()), "video", real, fake)
    assert objective.steepness() == pytest.approx(critic.layer.weight.norm().item(), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_steepness_leaves_no_trace_and_grows_with_the_scores(configs, videos, name: str) -> None:
    gan = configs[name].build().train()
    gan.generator.eval()
    before = state(gan)
    for discriminator in gan.discriminators:
        objective = objective_of(gan, discriminator, *videos[:1], labels=videos[1])
        steepness = objective.steepness()
        assert steepness > 0
        assert objective.steepness() == steepness
        assert same(state(gan), before)
        scores = gan.discriminators[discriminator].score
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gan.discriminators[discriminator], "score", lambda batch, s=scores: (3 * s(batch)[0], None))
            assert objective.steepness() == pytest.approx(3 * steepness, rel=1e-4)
