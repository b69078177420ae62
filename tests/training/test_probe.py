"""Watching the spectrum while a GAN trains."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from ldvd_lib.hessian import HessianOperator, objective_of
from ldvd_lib.runs import Run
from ldvd_lib.runs.files import SPECTRUM
from ldvd_lib.training import SpectrumProbe, Trainer
from ldvd_lib.training.players import step_sizes

KEYS = {
    "step",
    "discriminator",
    "eigenvalues",
    "residuals",
    "largest",
    "smallest",
    "converged",
    "products",
    "seconds",
    "loss",
    "parameters",
    "batch_size",
}
STEP_KEYS = {
    *(f"step_{key}" for key in ("eigenvalues", "residuals", "largest", "smallest", "converged", "products")),
    "steepness",
}


def train(config, sampler, directory: Path, steps: int, *callbacks, **options) -> Trainer:
    options = {"device": "cpu", "progress": False, "log_every": 1, **options}
    trainer = Trainer(config.build(seed=1), sampler, directory, callbacks=callbacks, **options)
    trainer.run(steps)
    return trainer


def records(directory: Path, file: str = SPECTRUM) -> list[dict]:
    """Lines of a log, without the clock."""
    lines = (directory / file).read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


def everything(value: object, path: str = "") -> dict[str, object]:
    """A nested state as path → tensor or value."""
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, item in items for k, v in everything(item, f"{path}/{key}").items()}
    return {path: value}


def state(trainer: Trainer) -> dict[str, object]:
    """All that decides how training goes on."""
    networks = trainer.players.networks()
    return everything(
        {
            "weights": networks.state_dict(),
            "gradients": {name: p.grad for name, p in networks.named_parameters()},
            "modes": {name: module.training for name, module in networks.named_modules()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in trainer.players.optimizers.items()},
            "random": trainer.random.get_state(),
            "sampler": trainer.sampler.state_dict(),
        }
    )


def assert_same(one: dict[str, object], two: dict[str, object]) -> None:
    assert one.keys() == two.keys()
    for path, value in one.items():
        equal = torch.equal(value, two[path]) if isinstance(value, torch.Tensor) else value == two[path]
        assert equal, path


NAMES = ["tgan", "tgan with noise", "tgan with spectral normalisation", "mocogan", "mocogan with noise"]


@pytest.mark.parametrize("name", NAMES)
def test_a_probed_run_equals_an_unprobed_one_bit_for_bit(tmp_path, configs, make_sampler, name: str) -> None:
    plain = train(configs[name], make_sampler(), tmp_path / "plain", 7)
    probed = train(configs[name], make_sampler(), tmp_path / "probed", 7, SpectrumProbe(every=2, k=3, of_steps=True))
    assert_same(state(probed), state(plain))
    assert records(tmp_path / "probed", "metrics.jsonl") == records(tmp_path / "plain", "metrics.jsonl")
    found = records(tmp_path / "probed")
    assert [record["step"] for record in found if record["discriminator"] == "video"] == [2, 4, 6]
    assert not (tmp_path / "plain" / SPECTRUM).exists()


def test_a_line_for_every_discriminator_and_what_it_holds(tmp_path, configs, make_sampler) -> None:
    trainer = train(configs["mocogan"], make_sampler(), tmp_path / "run", 4, SpectrumProbe(every=2, k=5))
    lines = [json.loads(line) for line in (tmp_path / "run" / SPECTRUM).read_text().splitlines()]
    assert [(line["step"], line["discriminator"]) for line in lines] == [
        (2, "image"),
        (2, "video"),
        (4, "image"),
        (4, "video"),
    ]
    for line in lines:
        assert set(line) == KEYS
        values, residuals = torch.tensor(line["eigenvalues"]), torch.tensor(line["residuals"])
        assert len(values) == len(residuals) == 5
        assert torch.equal(values.abs(), values.abs().sort(descending=True).values)
        assert (residuals >= 0).all()
        assert line["smallest"] <= values.min()
        assert values.max() <= line["largest"]
        assert 0 < line["products"] <= 200
        assert line["seconds"] > 0
        assert line["batch_size"] == 4
        discriminator = trainer.gan.discriminators[line["discriminator"]]
        assert line["parameters"] == sum(parameter.numel() for parameter in discriminator.parameters())


def test_eigenvalues_are_those_of_the_networks_at_that_step(tmp_path, configs, make_sampler) -> None:
    probe = SpectrumProbe(every=3, k=4, tolerance=1e-4, batch_size=6, seed=8)
    train(configs["mocogan"], make_sampler(), tmp_path / "run", 3, probe)
    videos, labels = make_sampler().peek(6, seed=8)[:2]
    for record in records(tmp_path / "run"):
        gan = Run.open(tmp_path / "run").gan(record["step"]).train()
        objective = objective_of(gan, record["discriminator"], videos, labels=labels, seed=8)
        operator = HessianOperator(objective, objective.parameters)
        assert record["loss"] == pytest.approx(operator.loss, rel=1e-5)
        assert record["batch_size"] == 6
        matrix = operator @ torch.eye(operator.shape[0])
        values = torch.linalg.eigvalsh((matrix + matrix.T).double() / 2)
        leading = values[values.abs().argsort(descending=True)[:4]]
        assert record["converged"]
        assert [abs(value) for value in record["eigenvalues"]] == pytest.approx(leading.abs().tolist(), rel=1e-3)


def test_every_probe_sees_the_same_batch(tmp_path, configs, make_sampler) -> None:
    """With rates too small to move a weight, nothing but the batch could change the loss."""
    config = configs["tgan with noise"].with_recipe(generator_rate=1e-30, discriminator_rate=1e-30, svc_every=0)
    train(config, make_sampler(), tmp_path / "run", 3, SpectrumProbe(every=1, k=2))
    found = records(tmp_path / "run")
    assert len({record["loss"] for record in found}) == 1
    for record in found[1:]:
        assert record["eigenvalues"] == pytest.approx(found[0]["eigenvalues"], rel=1e-3)
    train(config, make_sampler(), tmp_path / "other", 1, SpectrumProbe(every=1, k=2, seed=1))
    assert records(tmp_path / "other")[0]["loss"] != found[0]["loss"]


@pytest.mark.parametrize("name", ["tgan with noise", "mocogan"])
def test_a_run_that_is_resumed_at_any_step_records_the_same_numbers(tmp_path, configs, make_sampler, name: str) -> None:
    def part(directory: str, steps: int, **options) -> None:
        train(configs[name], make_sampler(), tmp_path / directory, steps, SpectrumProbe(2, k=1), **options)

    part("whole", 4)
    for step in range(1, 4):
        part(f"parts {step}", step)
        part(f"parts {step}", 4, resume=True)
        assert records(tmp_path / f"parts {step}") == records(tmp_path / "whole")


def test_what_a_killed_run_had_recorded_is_recorded_once(tmp_path, configs, make_sampler) -> None:
    def part(directory: str, steps: int, **options) -> None:
        train(configs["tgan"], make_sampler(), tmp_path / directory, steps, SpectrumProbe(2, k=1), **options)

    part("whole", 6)
    part("parts", 5, checkpoint_every=3)
    # As after a kill: there is a line of step 4, and the last checkpoint is of step 3.
    shutil.rmtree(tmp_path / "parts" / "checkpoints" / "step_0000005")
    assert records(tmp_path / "parts")[-1]["step"] == 4
    part("parts", 6, resume=True)
    assert records(tmp_path / "parts") == records(tmp_path / "whole")


def test_a_diverged_network_is_said_to_be_so(configs, make_sampler) -> None:
    gan = configs["tgan"].build()
    with torch.no_grad():
        gan.discriminators["video"].head.weight.fill_(torch.nan)
    with pytest.raises(ValueError, match=r"the loss is nan.*diverged run"):
        SpectrumProbe().measure(gan, "video", make_sampler().peek()[0])


@pytest.mark.parametrize("name", ["tgan", "mocogan"])
def test_the_curvature_of_steps_is_that_of_the_scaled_hessian_at_that_step(
    tmp_path, configs, make_sampler, name: str
) -> None:
    probe = SpectrumProbe(every=3, k=2, which="ends", tolerance=1e-4, batch_size=6, seed=8, of_steps=True)
    trainer = train(configs[name], make_sampler(), tmp_path / "run", 3, probe)
    videos, labels = make_sampler().peek(6, seed=8)[:2]
    for record in records(tmp_path / "run"):
        assert set(record) == KEYS - {"seconds"} | STEP_KEYS
        discriminator = record["discriminator"]
        gan = Run.open(tmp_path / "run").gan(record["step"]).train()
        objective = objective_of(gan, discriminator, videos, labels=labels, seed=8)
        operator = HessianOperator(objective, objective.parameters)
        matrix = (operator @ torch.eye(operator.shape[0])).double()
        sizes = step_sizes(trainer.players.optimizers[discriminator]).double()
        values = torch.linalg.eigvals(sizes[:, None] * (matrix + matrix.T) / 2).real
        assert record["step_converged"]
        assert record["step_largest"] == pytest.approx(values.max().item(), rel=1e-3)
        assert record["step_smallest"] == pytest.approx(values.min().item(), rel=1e-3)
        assert record["steepness"] == pytest.approx(objective.steepness(), rel=1e-4)
