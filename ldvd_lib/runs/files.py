"""The names of the files in a run directory, and which names are ours."""

import re

CONFIG = "config.json"
METRICS = "metrics.jsonl"
SPECTRUM = "spectrum.jsonl"
EVALUATION = "evaluation.json"  # in evaluations/…-step-N/, as `ldvd evaluate` writes it
SAMPLES = "samples"
CHECKPOINTS = "checkpoints"


def step_name(step: int) -> str:
    """What a checkpoint and a sample grid of a step are called: ``"step_0000500"``."""
    return f"step_{step:07d}"


def step_in(name: str) -> int | None:
    """The step that a name is of; None for every name that `step_name` does not give, such as a user's own copy."""
    step = int(name.removeprefix("step_")) if re.fullmatch(r"step_[0-9]{7,18}", name) else None
    return step if step is not None and step_name(step) == name else None
