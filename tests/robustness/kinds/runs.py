"""Run directories, and what is made of them: trained models, reports."""

import json
from pathlib import Path
from unittest import mock

import numpy as np
import tiny
import torch

from kinds.kind import Kind, Result, wrong
from ldvd_lib._kit import shelf
from ldvd_lib.paper import read_findings, read_points
from ldvd_lib.reproduce import Order, make_plan, remember
from ldvd_lib.reproduce.plan import recall
from ldvd_lib.runs import Run, pretrained, read_results
from ldvd_lib.training import SpectrumProbe, Trainer


def trainer(directory: Path, number: int = 0, *, resume: bool = False) -> Trainer:
    return Trainer(
        tiny.plain().build(seed=number),
        tiny.sampler(),
        directory / "run",
        seed=number,
        device="cpu",
        resume=resume,
        callbacks=[SpectrumProbe(2, k=1)],
        log_every=1,
        checkpoint_every=100,
        progress=False,
    )


def make_run(directory: Path, number: int) -> None:
    trainer(directory, number).run(4)


def samples(run: Run) -> np.ndarray:
    """Two videos of a run's generator."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = run.generator()
        return generator(generator.sample_latents(2)).detach().numpy()


def use_config(directory: Path) -> Result:
    run = Run.open(directory / "run")
    return {"name": run.config.model.name, "videos": samples(run), "config": repr(run.config)}


def sound_config(result: Result, expected: Result) -> str:
    """A rate or a name may be another, but the networks must be those of the weights."""
    return wrong(the_same_videos=np.array_equal(result["videos"], expected["videos"]))


def use_resumed(directory: Path) -> Result:
    """The run goes on for a step."""
    resumed = trainer(directory, resume=True)
    run = resumed.run(5)
    weights = {name: tensor.numpy() for name, tensor in resumed.players.networks().state_dict().items()}
    metrics = {name: values for name, values in run.metrics().items() if name != "seconds"}
    return {"step": resumed.step, "weights": weights, "metrics": metrics}


def sound_resumed(result: Result, expected: Result) -> str:
    """A bit of a weight or of a random stream cannot be noticed without a hash."""
    weights, wanted = result["weights"], expected["weights"]
    return wrong(
        the_same_step=result["step"] == expected["step"],
        the_same_shapes={n: w.shape for n, w in weights.items()} == {n: w.shape for n, w in wanted.items()},
        finite=all(np.isfinite(weight).all() for weight in weights.values()),
        logged_in_order=(np.diff(result["metrics"]["step"]) > 0).all() and result["metrics"]["step"][-1] == 5,
    )


def use_weights(directory: Path) -> Result:
    run = Run.open(directory / "run")
    videos, gan = samples(run), run.gan()
    return {"videos": videos, "weights": {name: t.numpy() for name, t in gan.discriminators.state_dict().items()}}


def sound_weights(result: Result, expected: Result) -> str:
    return wrong(
        shaped=result["videos"].shape == expected["videos"].shape,
        finite=all(np.isfinite(value).all() for value in (result["videos"], *result["weights"].values())),
    )


def use_metrics(directory: Path) -> Result:
    run = Run.open(directory / "run")
    return {"": run.metrics()} | {"seconds of a step": {"seconds": np.array([run.seconds_of_a_step() or 0])}}


def use_spectrum(directory: Path) -> Result:
    return Run.open(directory / "run").spectrum()


def sound_log(result: Result, expected: Result) -> str:
    """A line more or less, or another number, cannot be noticed; words for numbers and steps out of order can."""
    columns = [column for part in result.values() for column in part.values()]
    return wrong(
        numbers=all(column.dtype.kind in "biuf" for column in columns),
        finite=all(np.isfinite(column).all() for column in columns if column.dtype.kind in "biuf"),
        of_one_length=all(len({len(column) for column in part.values()}) == 1 for part in result.values() if part),
        in_order=all((np.diff(part["step"]) > 0).all() for part in result.values() if "step" in part),
        parts_known=set(result) <= set(expected),
    )


def make_shelf(directory: Path, number: int) -> None:
    make_run(directory, number)
    (directory / "run").rename(directory / "tiny")
    (weights,) = directory.glob("tiny/checkpoints/*/weights.safetensors")
    details = {"kind": "gan", "model": "tgan", "preset": "lite", "data": "actions", "clips": "6 clips", "steps": 4}
    details |= {"networks": ["generator", "discriminators"], "metrics": [], "recipe": {}}
    shelf.list_weights(directory, "tiny", weights, details)


def use_shelf(directory: Path) -> Result:
    with (
        mock.patch.object(shelf, "directory", lambda: directory),
        mock.patch.object(pretrained, "directory", lambda: directory),
    ):
        table = pretrained.list_models()
        models = {row.name: pretrained.load(row.name) for row in table}
        return {
            "table": repr(table),
            "weights": [{n: t.numpy() for n, t in model.state_dict().items()} for model in models.values()],
        }


def sound_shelf(result: Result, expected: Result) -> str:
    """What the index says in words may be other words; the weights may not be others."""
    if not result["weights"]:
        return ""
    try:
        np.testing.assert_equal(result["weights"], expected["weights"])
    except AssertionError:
        return "other weights"
    return ""


def make_report(directory: Path, number: int) -> None:
    reports = Path(__file__).resolve().parents[3] / "pretrained" / "reproduction" / "actions"
    for path in (reports / "report.json", reports / "claims.json", reports.parent / "question" / "question.json"):
        (directory / path.name).write_text(json.dumps(json.loads(path.read_text())[number : number + 4], indent=1))


def use_report(directory: Path) -> Result:
    return {
        "results": [repr(result) for result in read_results(directory / "report.json")],
        "findings": repr(read_findings(directory / "claims.json")),
        "points": repr(read_points(directory / "question.json")),
    }


def sound_report(result: Result, expected: Result) -> str:
    return wrong(
        finite=not {"nan", "inf"} & set(" ".join(result["results"]).replace(",", " ").replace("(", " ").split())
    )


def make_orders(directory: Path, number: int) -> None:
    remember(Order(("5a",), ("tgan", "tgan-f"), "lite", seeds=(number, 7), steps=100), directory)


def use_orders(directory: Path) -> Result:
    return [repr(training) for training in make_plan(*recall(directory)).trainings]


def sound_orders(result: Result, expected: Result) -> str:
    return wrong(few=len(result) < 1000)


CHECKPOINT = "run/checkpoints/step_0000004"


KINDS = {
    "run: configuration": Kind(
        make_run, use_config, ("run/config.json",), sound_config, ("weights.safetensors", "metrics.jsonl")
    ),
    "run: configuration, resumed": Kind(make_run, use_resumed, ("run/config.json",)),
    "run: metrics": Kind(make_run, use_metrics, ("run/metrics.jsonl",), sound_log),
    "run: spectrum": Kind(make_run, use_spectrum, ("run/spectrum.jsonl",), sound_log),
    "run: logs, resumed": Kind(make_run, use_resumed, ("run/metrics.jsonl", "run/spectrum.jsonl"), sound_resumed),
    "run: weights": Kind(make_run, use_weights, (f"{CHECKPOINT}/weights.safetensors",), sound_weights),
    "run: checkpoint, resumed": Kind(
        make_run,
        use_resumed,
        (f"{CHECKPOINT}/weights.safetensors", f"{CHECKPOINT}/state.pt"),
        sound_resumed,
        ("step_0000004",),
    ),
    "trained models: index": Kind(make_shelf, use_shelf, ("index.json",), sound_shelf, ("weights.safetensors",)),
    "trained models: weights": Kind(make_shelf, use_shelf, ("tiny/checkpoints/*/weights.safetensors",)),
    "report": Kind(make_report, use_report, ("report.json", "claims.json", "question.json"), sound_report),
    "orders of a reproduction": Kind(make_orders, use_orders, ("*.json",), sound_orders),
}
