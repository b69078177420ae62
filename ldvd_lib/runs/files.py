"""The names of the files in a run directory."""

CONFIG = "config.json"
METRICS = "metrics.jsonl"
SPECTRUM = "spectrum.jsonl"
EVALUATION = "evaluation.json"  # in evaluations/…-step-N/, as `ldvd evaluate` writes it
SAMPLES = "samples"
CHECKPOINTS = "checkpoints"
