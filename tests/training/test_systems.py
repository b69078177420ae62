"""Toys of the systems to come go through the same doors: they train, resume, sample, and are probed."""

from pathlib import Path

import pytest
import torch
import toys

from ldvd_lib.hessian import HessianOperator, objective_of
from ldvd_lib.runs import Run
from ldvd_lib.training import SpectrumProbe, Trainer, sample_videos

CONFIGS = toys.configs()


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
        # What the generator grows by has no share in the first step.
        assert still <= {"finer.weight"}, player
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
    terms = {"penalty", "r1", "gradient_penalty", "class_entropy"}
    assert all(key.endswith(tuple(terms)) for key in metrics.keys() - expected)
    assert run.spectrum().keys() == set(trainer.gan.discriminators)
    videos = sample_videos(run.generator(), 3, seed=2)
    assert videos.shape == (3, 3, toys.FRAMES, toys.SIZE, toys.SIZE)
    assert torch.equal(videos, sample_videos(run.generator(), 3, seed=2))


@pytest.mark.parametrize("name", CONFIGS)
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
        product, width = operator @ vector, 1e-5
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                for parameter, part in zip(objective.parameters, operator.unflatten(vector), strict=True):
                    parameter += sign * width * part
            ends.append(HessianOperator(objective, objective.parameters).gradient)
            with torch.no_grad():
                for parameter, part in zip(objective.parameters, operator.unflatten(vector), strict=True):
                    parameter -= sign * width * part
        slope = (ends[0] - ends[1]) / (2 * width)
        # Leaky ReLUs have corners, so that a few entries may jump between the two ends.
        assert (product - slope).norm() <= 5e-3 * product.norm() + 1e-8


def test_what_a_growing_generator_has_become_comes_back_with_its_step(tmp_path, make_sampler) -> None:
    train("provgan", make_sampler(), tmp_path / "run", 3, checkpoint_every=1, keep_checkpoints=None)
    run = Run.open(tmp_path / "run")
    assert [run.generator(step).share for step in (1, 2, 3)] == [0.5, 1.0, 1.0]
    assert run.gan(1).generator.share == 0.5


def test_the_generators_penalty_is_in_its_loss(tmp_path, make_sampler) -> None:
    for name in ("vgan", "vgan in turns"):
        train(name, make_sampler(), tmp_path / name, 2)
        metrics = Run.open(tmp_path / name).metrics()
        assert ((metrics["generator_penalty"] > 0) & (metrics["generator_penalty"] < 0.1)).all()
