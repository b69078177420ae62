"""The step of every game."""

import contextlib
from dataclasses import replace

import pytest
import tiny
import torch
from torch.nn import functional as F

from ldvd_lib import zoo
from ldvd_lib.batch import Batch
from ldvd_lib.gan import NetworkConfig, VideoGANConfig
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import GAMES, Recipe
from ldvd_lib.runs import Run
from ldvd_lib.training import Players, Source, Trainer, play
from ldvd_lib.views import pick_frames, random_frames


@pytest.fixture
def config() -> VideoGANConfig:
    generator = {"image_size": 8, "num_frames": 4, "content_dim": 5, "motion_dim": 3, "image_channels": 8}
    stack = {"image_size": 8, "base_channels": 4, "head": "patch", "init": "default"}
    return VideoGANConfig(
        "tiny-mocogan",
        "lite",
        NetworkConfig("mocogan", generator),
        {
            "image": NetworkConfig("stack", {"kinds": ("2d", "2d"), "num_frames": 1, **stack}),
            "video": NetworkConfig("stack", {"kinds": ("3d",), "num_frames": 4, "time": (4, 1, 0), **stack}),
        },
        Recipe(game="mocogan", loss="non-saturating", optimizer="adam", batch_size=4, svc_every=0),
    )


def trainer_of(config, make_sampler, directory) -> Trainer:
    return Trainer(config.build(seed=1), make_sampler(), directory, device="cpu", callbacks=[], progress=False)


@pytest.mark.parametrize("loss", ["non-saturating", "saturating"])
def test_a_step_equals_the_game_written_out(config, make_sampler, tmp_path, loss: str) -> None:
    """Both discriminators in turn on fresh fakes, then the generator on fresh fakes, with Adam, by hand."""
    config = config.with_recipe(loss=loss)
    trainer = trainer_of(config, make_sampler, tmp_path / "run")
    trainer._train_step()

    gan, sampler, random = config.build(seed=1).train(), make_sampler(), torch.Generator().manual_seed(0)
    generator, image, video = gan.generator, gan.discriminators["image"], gan.discriminators["video"]
    adam = {
        module: torch.optim.Adam(module.parameters(), 5e-5, betas=(0.5, 0.999)) for module in (generator, image, video)
    }

    def fakes(single: bool) -> torch.Tensor:
        latents = generator.sample_latents(4, generator=random)
        return generator(latents, random_frames(4, 4, random)) if single else generator(latents)

    for module, single in ((image, True), (video, False)):
        real = sampler.next_batch().videos
        real = pick_frames(real, random_frames(4, 4, random)) if single else real
        fake = fakes(single).detach()
        fake_scores, real_scores = module(fake), module(real)
        value = F.binary_cross_entropy_with_logits(real_scores, torch.ones_like(real_scores))
        value = value + F.binary_cross_entropy_with_logits(fake_scores, torch.zeros_like(fake_scores))
        value.backward()
        adam[module].step()
    total = 0
    for module, single in ((image, True), (video, False)):
        scores = module(fakes(single))
        wanted = torch.ones_like(scores) if loss == "non-saturating" else torch.zeros_like(scores)
        sign = 1 if loss == "non-saturating" else -1
        total = total + sign * F.binary_cross_entropy_with_logits(scores, wanted)
    total.backward()
    adam[generator].step()

    for name, parameter in gan.named_parameters():
        torch.testing.assert_close(trainer.gan.get_parameter(name), parameter, rtol=1e-4, atol=1e-6, msg=name)


def test_tganv2s_step_equals_the_game_written_out(make_sampler, tmp_path) -> None:
    """The generator first, on the fakes that the first of three steps of the discriminator then uses, too; R1 as a sum.

    As in the released ``dirac_updater.py``: 10 times the sum of squared gradients over the batch and its levels, beside
    the mean of the scores of all levels.
    """
    config = tiny.tganv2(r1=10.0 * 4, generator_rate=1e-2, discriminator_rate=1e-2)
    trainer = trainer_of(config, make_sampler, tmp_path / "run")
    values = trainer._train_step()

    gan, sampler, random = config.build(seed=1).train(), make_sampler(), torch.Generator().manual_seed(0)
    generator, critics = gan.generator, gan.discriminators["levels"].critics
    adam_g, adam_d = (torch.optim.Adam(part.parameters(), 1e-2, betas=(0.0, 0.9)) for part in (generator, critics))

    def scores(levels: tuple) -> torch.Tensor:
        return torch.cat([critic(level) for critic, level in zip(critics, levels, strict=True)])

    def real_levels() -> list[torch.Tensor]:
        videos = sampler.next_batch().videos
        first = torch.randint(2, (2, 1), generator=random)  # of each clip of the second level
        fine = torch.stack([videos[2 * clip, :, int(first[clip]) :: 2] for clip in range(2)])
        return [F.avg_pool3d(videos, (1, 2, 2)), fine]

    for step in range(3):
        real = [level.requires_grad_() for level in real_levels()]
        fake = generator.paint_levels(generator.sample_latents(4, generator=random), random)
        if step == 0:
            generator_loss = F.softplus(-scores(fake)).mean()
            adam_g.zero_grad()
            generator_loss.backward()
            adam_g.step()
        fake = [level.detach() for level in fake]
        on_real = scores(real)
        loss = F.softplus(-on_real).mean() + F.softplus(scores(fake)).mean()
        gradients = torch.autograd.grad(on_real.sum(), real, create_graph=True)
        penalty = 10 * sum(gradient.square().sum() for gradient in gradients)
        adam_d.zero_grad()
        (loss + penalty).backward()
        adam_d.step()

    torch.testing.assert_close(values["generator_loss"], generator_loss.detach())
    torch.testing.assert_close(values["levels_r1"], penalty.detach())
    torch.testing.assert_close(values["levels_loss"], (loss + penalty).detach())
    for name, parameter in gan.named_parameters():
        torch.testing.assert_close(trainer.gan.get_parameter(name), parameter, rtol=1e-4, atol=1e-6, msg=name)


def test_each_discriminator_has_an_optimiser_and_reports(config, make_sampler, tmp_path) -> None:
    trainer = trainer_of(config, make_sampler, tmp_path / "run")
    assert set(trainer.players.optimizers) == {"generator", "image", "video"}
    trainer.log_every = 1
    trainer.run(2)
    assert set(Run.open(tmp_path / "run").metrics()) == {
        "step",
        "seconds",
        "generator_loss",
        *(f"{who}_{what}" for who in ("image", "video") for what in ("loss", "real_score", "fake_score")),
    }


def test_the_generators_step_leaves_no_gradient_in_the_discriminators(config, make_sampler, tmp_path) -> None:
    """They would be computed for nothing."""
    trainer = trainer_of(config, make_sampler, tmp_path / "run")
    left = {}
    move = trainer.players.move

    def watched(name: str) -> None:
        if name == "generator":
            left.update({key: p.grad.clone() for key, p in trainer.gan.discriminators.named_parameters()})
        move(name)

    trainer.players.move = watched
    prepare = trainer.players.prepare
    before = {}

    def prepared(names: tuple[str, ...]) -> None:
        if tuple(names) == ("generator",):
            before.update({key: p.grad.clone() for key, p in trainer.gan.discriminators.named_parameters()})
        prepare(names)

    trainer.players.prepare = prepared
    trainer._train_step()
    assert before.keys() == left.keys() != set()
    assert all(torch.equal(before[key], gradient) for key, gradient in left.items())
    assert all(p.grad is not None for p in trainer.gan.generator.parameters())


def test_a_category_reaches_the_discriminator_and_comes_back(config, make_sampler, tmp_path) -> None:
    """A discriminator that cannot read the category has a loss of log K; the term must be in both players' losses."""
    generator = replace(config.generator, options=config.generator.options | {"num_categories": 2})
    video = config.discriminators["video"]
    video = replace(video, options=video.options | {"num_categories": 2, "head": "volume"})
    with_categories = replace(config, generator=generator, discriminators={"video": video})
    trainer = trainer_of(with_categories.with_recipe(discriminator_rate=1e-30), make_sampler, tmp_path / "run")
    with torch.no_grad():
        trainer.gan.discriminators["video"].head.weight.zero_()  # scores and class logits are all 0
    values = trainer._train_step()
    log2 = torch.tensor(2.0).log().item()
    assert values["video_loss"].item() == pytest.approx(3 * log2, rel=1e-5)  # real, fake, category
    assert values["video_class_entropy"].item() == pytest.approx(log2, rel=1e-5)
    assert values["generator_loss"].item() == pytest.approx(2 * log2, rel=1e-5)
    trainer.run(2)


def test_a_resumed_run_equals_an_uninterrupted_one(config, make_sampler, tmp_path) -> None:
    config = config.with_recipe(average=0.9)
    noisy = {
        name: replace(d, options=d.options | {"noise": 0.1, "num_frames": 1 if name == "image" else 4})
        for name, d in config.discriminators.items()
    }
    config = replace(config, discriminators=noisy)  # instance noise draws from the run's own stream
    whole = trainer_of(config, make_sampler, tmp_path / "whole")
    whole.run(6)
    trainer_of(config, make_sampler, tmp_path / "parts").run(3)
    torch.rand(5)
    parts = Trainer(
        config.build(), make_sampler(), tmp_path / "parts", device="cpu", callbacks=[], progress=False, resume=True
    )
    parts.run(6)
    for name, tensor in whole.gan.state_dict().items():
        assert torch.equal(parts.gan.state_dict()[name], tensor), name


@pytest.mark.parametrize(
    "name", ["tgan", "tgan-f", "tgan-tsm", "mocogan", "mocogan-categories", "mocogan-f-sn", "tganv2"]
)
def test_a_step_reads_nothing_from_the_device(name: str, monkeypatch) -> None:
    """On the meta device, which has no values to read: moves, singular value clipping and the average included."""
    gan = zoo.build(name, batch_size=4).to("meta").train()
    players = Players(gan)
    monkeypatch.setattr(players, "autocast", contextlib.nullcontext)  # there is none on this device
    videos = torch.zeros(4, 3, gan.num_frames, gan.image_size, gan.image_size, device="meta")
    clips = Batch(videos, torch.zeros(4, dtype=torch.int64, device="meta"))
    objective, source = Objective(gan.discriminators, gan.recipe), Source(lambda: clips, 4, torch.Generator())
    report = play(GAMES[gan.recipe.game], objective, players, source)
    players.finish(gan.recipe.svc_every or 1)
    assert all(value.is_meta for value in report.values())


@pytest.mark.parametrize("game", ["dvd-gan", "provgan", "tgan", "mocogan"])
def test_both_of_dvd_gans_judges_are_told_the_classes_of_all_that_they_see(game: str) -> None:
    """Of real clips those that came with them, and of generated ones those that their latents ask for."""
    players = Players(tiny.dvdgan(game=game).build(seed=1))
    shown: dict[str, list[Batch]] = {name: [] for name in players.discriminators}
    for name, network in players.discriminators.items():

        def score(batch: Batch, name=name, usual=network.score) -> tuple:
            shown[name].append(batch.detach())
            return usual(batch)

        network.score = score
    clips, drawn, random = tiny.sampler(), [], torch.Generator().manual_seed(0)
    objective = Objective(players.discriminators, players.recipe)

    def latents(n: int, random: torch.Generator, usual=players.latents) -> torch.Tensor:
        drawn.append(usual(n, random))
        return drawn[-1]

    players.latents = latents
    real: list[torch.Tensor] = []

    def next_batch() -> Batch:
        real.append(clips.next_batch())
        return real[-1]

    play(GAMES[game], objective, players, Source(next_batch, 4, random))
    asked = {tuple(players.generator.classes(part).tolist()) for part in drawn}
    given = {tuple(batch.labels.tolist()) for batch in real}
    for name, frames in (("spatial", 2), ("temporal", tiny.FRAMES)):
        assert all(batch.video.shape[2] == frames for batch in shown[name])
        labels = {tuple(batch.labels.tolist()) for batch in shown[name]}
        assert labels & asked and labels & given and labels <= asked | given
