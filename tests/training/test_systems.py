"""Toys of systems of every way, and small ones of what the zoo has: they train, resume, sample, are probed."""

from pathlib import Path

import pytest
import tiny
import torch
import toys

from ldvd_lib.hessian import HessianOperator, objective_of
from ldvd_lib.runs import Run
from ldvd_lib.training import SpectrumProbe, Trainer, sample_videos

CONFIGS = toys.configs() | {
    "VGAN": tiny.vgan(),
    "ProVGAN": tiny.provgan(),
    "ProVGAN, sliced": tiny.provgan(head="sliced"),
    "TGANv2": tiny.tganv2(),
    "TGANv2, frames only, rates that fall": tiny.tganv2("frames", game="tgan", rate_decay="linear", iterations=8),
    "DVD-GAN": tiny.dvdgan(),
    "DVD-GAN, TGAN's core, one batch": tiny.dvdgan("tgan", game="tgan"),
    "DVD-GAN without classes": tiny.dvdgan(num_categories=0, r1=0.1),
}  # SSW-GAN, whose stages are of several sizes: tests/runs/test_stages.py
# Those whose weights are divided by a norm that power iteration finds: it moves when they do, and no derivative knows.
# What holds of them is in tests/discriminators/test_dvdgan.py.
ITERATED = {name for name in CONFIGS if name.startswith("DVD-GAN")}
# Parts of networks that grow and that have no share in the first step.
WAITING = ("finer.", "blocks.8.", "to_rgb.8.", "from_rgb.8.")


def train(name: str, sampler, directory: Path, steps: int, **options) -> Trainer:
    options = {"device": "cpu", "callbacks": [], "progress": False, "log_every": 1, **options}
    trainer = Trainer(CONFIGS[name].build(seed=1), sampler, directory, **options)
    trainer.run(steps)
    return trainer


@pytest.mark.parametrize("name", CONFIGS)
def test_every_player_moves_in_the_first_step(name: str, tmp_path, make_sampler) -> None:
    before = CONFIGS[name].build(seed=1).state_dict()
    gan = train(name, make_sampler(), tmp_path / "run", 1).gan
    for player, network in gan.networks.items():
        # Biases may stay: that of a hinge critic is pulled up as much as down while all clips are within the margin.
        learnt = {
            key for key, parameter in network.named_parameters() if parameter.requires_grad and parameter.ndim > 1
        }
        prefix = "generator." if player == "generator" else f"discriminators.{player}."
        still = {key for key in learnt if torch.equal(network.state_dict()[key], before[prefix + key])}
        assert all(key.startswith(WAITING) for key in still), (player, still)
        frozen = {key for key, parameter in network.named_parameters() if not parameter.requires_grad}
        assert all(torch.equal(network.state_dict()[key], before[prefix + key]) for key in frozen)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_resumed_run_equals_an_uninterrupted_one(name: str, tmp_path, make_sampler) -> None:
    train(name, make_sampler(), tmp_path / "parts", 2)
    parts = train(name, make_sampler(), tmp_path / "parts", 4, resume=True)
    whole = train(name, make_sampler(), tmp_path / "whole", 4)
    for key, tensor in whole.players.networks().state_dict().items():
        assert torch.equal(parts.players.networks().state_dict()[key], tensor), key
    one, two = (Run.open(tmp_path / run).metrics() for run in ("parts", "whole"))
    assert one.keys() == two.keys()
    assert all((one[key] == two[key]).all() for key in one.keys() - {"seconds"})


@pytest.mark.parametrize("name", CONFIGS)
def test_it_samples_is_probed_and_logs_by_one_scheme(name: str, tmp_path, make_sampler) -> None:
    trainer = train(name, make_sampler(), tmp_path / "run", 3, callbacks=[SpectrumProbe(every=3, k=1, max_products=20)])
    run = Run.open(tmp_path / "run")
    expected = {"step", "seconds", "generator_loss"}
    for player in trainer.gan.discriminators:
        expected |= {f"{player}_{what}" for what in ("loss", "real_score", "fake_score")}
    metrics = run.metrics()
    assert metrics.keys() >= expected
    terms = {"penalty", "r1", "gradient_penalty", "class_entropy", "drift", "slopes"}
    assert all(key.endswith(tuple(terms)) for key in metrics.keys() - expected)
    assert run.spectrum().keys() == set(trainer.gan.discriminators)
    videos = sample_videos(run.generator(), 3, seed=2)
    assert videos.shape == (3, 3, toys.FRAMES, toys.SIZE, toys.SIZE)
    assert torch.equal(videos, sample_videos(run.generator(), 3, seed=2))


@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in ITERATED])
def test_its_hessian_is_the_derivative_of_the_gradient(name: str, make_sampler) -> None:
    """A product against finite differences, in double precision; penalties on gradients have third derivatives."""
    gan = CONFIGS[name].build(seed=1).double().train()
    gan.set_step(1)
    videos, labels, _ = make_sampler().peek(4)
    for player in gan.discriminators:
        objective = objective_of(gan, player, videos.double(), labels=labels)
        operator = HessianOperator(objective, objective.parameters)
        vector = torch.randn(operator.shape[0], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        vector /= vector.norm()
        product = operator @ vector
        slope = tiny.slope_along(objective, vector, width=1e-5)
        # Leaky ReLUs have corners, so that a few entries may jump between the two ends.
        assert (product - slope).norm() <= 5e-3 * product.norm() + 1e-8


class Watch:
    """Notes what a callback meets at each step."""

    every = 1

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.videos: list[torch.Tensor] = []

    def __call__(self, trainer: Trainer) -> None:
        networks = [*trainer.gan.networks.values(), trainer.sampling_generator()]
        (share,) = {network.share for network in networks if hasattr(network, "share")}
        self.shares.append(share)
        self.videos.append(sample_videos(trainer.sampling_generator(), 2, seed=0))


@pytest.mark.parametrize(("name", "shares"), [("provgan", [0.5, 1, 1, 1]), ("ProVGAN", [0.0, 0.5, 1, 1])])
def test_what_a_growing_network_has_become_comes_back_with_its_step(name, shares, tmp_path, make_sampler) -> None:
    """What is sampled and probed of a step while training goes on is what its checkpoint is loaded as."""
    watch = Watch()
    train(name, make_sampler(), tmp_path / "run", 4, checkpoint_every=1, keep_checkpoints=None, callbacks=[watch])
    run = Run.open(tmp_path / "run")
    assert watch.shares == shares
    assert [run.generator(step).share for step in (1, 2, 3, 4)] == shares
    for step, videos in enumerate(watch.videos, start=1):
        assert torch.equal(sample_videos(run.generator(step), 2, seed=0), videos)
    for network in run.gan(2).networks.values():
        assert getattr(network, "share", shares[1]) == shares[1]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_run_cut_off_in_a_fade_goes_on_bit_for_bit(steps: int, tmp_path, make_sampler) -> None:
    """Before, in the middle and at the end of a fade; the averages of the generator's weights, too."""
    train("ProVGAN", make_sampler(), tmp_path / "parts", steps)
    parts = train("ProVGAN", make_sampler(), tmp_path / "parts", 5, resume=True).players.networks().state_dict()
    whole = train("ProVGAN", make_sampler(), tmp_path / "whole", 5).players.networks().state_dict()
    assert parts.keys() == whole.keys()
    assert any(key.startswith("average.") for key in whole)
    assert all(torch.equal(parts[key], tensor) for key, tensor in whole.items())


def test_a_probe_sees_the_stage_of_its_step(tmp_path, make_sampler) -> None:
    """The same numbers from a checkpoint of the middle of a fade as were recorded there."""
    train("ProVGAN", make_sampler(), tmp_path / "run", 3, checkpoint_every=1, keep_checkpoints=None)
    run, losses = Run.open(tmp_path / "run"), []
    videos, _, _ = make_sampler().peek(4)
    for step in (1, 2, 3):
        objective = objective_of(run.gan(step), "video", videos)
        assert objective.real.video.shape[2:] == objective.fake.video.shape[2:] == (4, 8, 8)
        losses.append(SpectrumProbe(k=1, max_products=20).measure(run.gan(step), "video", videos)["loss"])
    watched = tmp_path / "watched"
    train("ProVGAN", make_sampler(), watched, 3, callbacks=[SpectrumProbe(every=1, k=1, max_products=20)])
    assert Run.open(watched).spectrum()["video"]["loss"].tolist() == pytest.approx(losses, rel=1e-6)


def test_the_generators_penalty_is_in_its_loss(tmp_path, make_sampler) -> None:
    for name in ("vgan", "vgan in turns", "VGAN"):
        train(name, make_sampler(), tmp_path / name, 2)
        metrics = Run.open(tmp_path / name).metrics()
        assert ((metrics["generator_penalty"] > 0) & (metrics["generator_penalty"] < 0.1)).all()
