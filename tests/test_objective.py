"""What the players minimise, against the same written out."""

import pytest
import tiny
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from ldvd_lib import losses
from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import Discriminator
from ldvd_lib.objective import Objective, add
from ldvd_lib.recipe import Recipe


class Linear(Discriminator):
    """Scores are an inner product, so that gradients by the pixels are its weights."""

    def __init__(self, patches: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3 * 4 * 8 * 8, patches)

    def forward(self, videos: torch.Tensor) -> torch.Tensor:
        scores = self.layer(videos.flatten(1))
        return scores if self.layer.out_features > 1 else scores.squeeze(1)


def batches(seed: int = 0) -> tuple[Batch, Batch]:
    random = torch.Generator().manual_seed(seed)
    real, fake = (torch.rand(4, 3, 4, 8, 8, generator=random) * 2 - 1 for _ in range(2))
    return Batch(real, torch.arange(4) % 2), Batch(fake, torch.tensor([1, 0, 0, 1]))


def random() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_the_terms_are_those_of_the_loss(loss: str) -> None:
    critic, (real, fake) = Linear(), batches()
    objective, formula = Objective({"video": critic}, Recipe(loss=loss)), losses.get(loss)
    terms = objective.discriminator("video", real, fake, random())
    assert list(terms) == ["real", "fake"]
    assert torch.equal(add(terms), formula.discriminator(critic(real.video), critic(fake.video)))
    assert torch.equal(objective.generator("video", fake).total, formula.generator(critic(fake.video)))
    on_fake, generators = objective.both("video", fake)
    assert torch.equal(on_fake.total, objective.fake("video", fake).total)
    assert torch.equal(generators.total, objective.generator("video", fake).total)
    assert objective.is_zero_sum("video") == formula.zero_sum
    if formula.zero_sum:
        assert torch.equal(generators.total, -on_fake.total)


def test_classes_are_in_both_players_losses() -> None:
    gan, (real, fake) = tiny.mocogan().build(), batches()
    judge = gan.discriminators["video"].eval()
    objective = Objective(gan.discriminators, gan.recipe)
    on_real, generators = objective.real("video", real), objective.generator("video", fake)
    for terms, batch in ((on_real, real), (generators, fake)):
        logits = judge.scores_and_categories(batch.video)[1]
        torch.testing.assert_close(terms.values["class_entropy"], cross_entropy(logits, batch.labels))
    assert "class_entropy" not in objective.fake("video", fake).values
    assert not Objective(gan.discriminators, Recipe(loss="wasserstein")).is_zero_sum("video")
    with pytest.raises(ValueError, match="'video' tells 2 classes apart, and these clips have no labels"):
        objective.real("video", real._replace(labels=None))


@pytest.mark.parametrize("patches", [1, 3])
def test_r1_of_a_linear_critic_is_the_squared_norm_of_its_weights(patches: int) -> None:
    """Of a map of patches, the mean score of a video counts."""
    critic, (real, _) = Linear(patches), batches()
    terms = Objective({"video": critic}, Recipe(r1=10.0)).real("video", real).values
    expected = 10 * critic.layer.weight.mean(0).square().sum()
    torch.testing.assert_close(terms["r1"], expected)
    gradient = torch.autograd.grad(terms["r1"], critic.layer.weight)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, critic.layer.weight)[0])


def test_the_gradient_penalty_of_a_linear_critic_is_its_distance_from_steepness_1() -> None:
    critic, (real, fake) = Linear(), batches()
    terms = Objective({"video": critic}, Recipe(gradient_penalty=2.0)).between("video", real, fake, random())
    expected = 2 * (critic.layer.weight.norm() - 1).square()
    torch.testing.assert_close(terms["gradient_penalty"], expected)
    assert Objective({"video": critic}, Recipe()).between("video", real, fake, random()) == {}


def test_the_gradient_penalty_can_ask_for_another_steepness() -> None:
    critic, (real, fake) = Linear(), batches()
    objective = Objective({"video": critic}, Recipe(gradient_penalty=10.0, gradient_target=0.25))
    terms = objective.between("video", real, fake, random())
    torch.testing.assert_close(terms["gradient_penalty"], 10 * (critic.layer.weight.norm() - 0.25) ** 2)


def test_drift_is_the_mean_squared_score_of_real_clips() -> None:
    critic, (real, fake) = Linear(), batches()
    objective = Objective({"video": critic}, Recipe(drift=0.5))
    torch.testing.assert_close(objective.real("video", real).values["drift"], (critic(real.video) ** 2).mean() / 2)
    assert "drift" not in objective.fake("video", fake).values


def test_a_discriminators_own_terms_are_in_its_loss_and_not_in_the_generators() -> None:
    class Shy(Linear):
        def penalty(self, real: Batch, fake: Batch, random: torch.Generator) -> dict[str, torch.Tensor]:
            return {"size": self.layer.weight.square().sum() + len(real.video) - len(fake.video)}

    critic, (real, fake) = Shy(), batches()
    objective = Objective({"video": critic}, Recipe(gradient_penalty=2.0))
    terms = objective.discriminator("video", real, fake, random())
    assert list(terms) == ["real", "fake", "gradient_penalty", "size"]
    torch.testing.assert_close(terms["size"], critic.layer.weight.square().sum())
    assert list(objective.generator("video", fake).values) == ["adversarial"]


def test_penalties_add_up_over_levels() -> None:
    """Three clips of which the second level has two, the first and the third: squares of both add up, clip by clip."""
    one = torch.rand(3, 2, generator=random()).requires_grad_()
    two = torch.rand(2, 2, generator=random()).requires_grad_()
    scores = torch.cat([(one**2).sum(1), 3 * two.sum(1)])
    torch.testing.assert_close(losses.squared_gradient(scores, (one, two)), (4 * one.square().sum() + 2 * 2 * 9) / 3)
    squares = 4 * one.square().sum(1) + torch.tensor([18.0, 0.0, 18.0])
    torch.testing.assert_close(losses.steepness(scores, (one, two)), (squares.sqrt() - 1).square().mean())


def test_mixtures_lie_on_the_lines_between_real_and_fake() -> None:
    real, fake = batches()
    mixed = losses.mix(real, fake, random())
    share = (mixed.video - fake.video) / (real.video - fake.video)
    per_clip = share.flatten(1).median(dim=1).values
    torch.testing.assert_close(
        fake.video.lerp(real.video, per_clip.view(-1, 1, 1, 1, 1)), mixed.video, atol=1e-5, rtol=0
    )
    assert ((per_clip >= 0) & (per_clip <= 1)).all()
    assert len(set(per_clip.tolist())) == 4
    assert mixed.labels is real.labels
    levels = losses.mix(Batch((real.video, real.video[::2])), Batch((fake.video, fake.video[::2])), random())
    assert [len(level) for level in levels.levels] == [4, 2]


def test_a_discriminator_that_is_not_there_is_named() -> None:
    real, _ = batches()
    with pytest.raises(ValueError, match=r"discriminator 'vidoe' is unknown: did you mean 'video'"):
        Objective({"video": Linear()}, Recipe()).real("vidoe", real)


def test_half_precision_scores_become_float32_and_double_stays() -> None:
    class Half(Linear):
        def forward(self, videos: torch.Tensor) -> torch.Tensor:
            return super().forward(videos).bfloat16()

    real, _ = batches()
    assert Objective({"video": Half()}, Recipe()).real("video", real).scores.dtype == torch.float32
    double = Objective({"video": Linear().double()}, Recipe())
    assert double.real("video", Batch(real.video.double())).scores.dtype == torch.float64
