"""What the package offers, and what it loads for it."""

import subprocess
import sys

import pytest

from ldvd_lib import metrics


def test_every_name_is_there() -> None:
    for name in metrics.__all__:
        assert getattr(getattr(metrics, name), "__name__", name) == name  # PROTOCOLS is a table
    with pytest.raises(AttributeError, match="TorchvisionFeatures"):
        _ = metrics.TorchvisionFeature


@pytest.mark.parametrize("use", ["frechet_distance", "kernel_distance, evaluate", "open_judge; open_judge('actions')"])
def test_nobody_waits_for_what_is_not_used(use: str) -> None:
    script = (
        f"import sys; from ldvd_lib.metrics import {use};"
        "print([m for m in ('torchmetrics', 'torchvision', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
