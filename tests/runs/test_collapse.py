"""Critics at chance are told from sound ones by what a run logged."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib.runs import Run, collapsed, pretrained
from ldvd_lib.runs.collapse import WINDOW, at_chance_from
from ldvd_lib.runs.run import RunConfig

BCE = 2 * math.log(2)


def log(gaps: np.ndarray, *, loss: np.ndarray | float = BCE, every: int = 10) -> dict[str, np.ndarray]:
    """What a run logs of a critic whose real clips score higher by these gaps."""
    steps = every * np.arange(1, len(gaps) + 1)
    losses = np.broadcast_to(loss, gaps.shape)
    return {"step": steps, "video_loss": losses, "video_real_score": gaps / 2, "video_fake_score": -gaps / 2}


def noise(num: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=num)


def test_a_constant_critic_is_at_chance_whatever_its_loss() -> None:
    zero = np.zeros(WINDOW)
    assert at_chance_from(log(zero), "video", "non-saturating") == 10
    assert at_chance_from(log(zero, loss=2.0), "video", "hinge") == 10
    assert at_chance_from(log(zero, loss=0.0), "video", "wasserstein") == 10


def test_a_critic_that_tells_real_from_generated_is_not() -> None:
    gaps = 1 + 0.3 * noise(20, seed=0)
    assert at_chance_from(log(gaps, loss=0.9), "video", "non-saturating") is None
    faint = 1e-3 * gaps  # the voice may be faint: what counts is whether it is right
    assert at_chance_from(log(faint, loss=-faint), "video", "wasserstein") is None
    # scores that are apart by accident or not at all, but a loss far below it; and the other way round
    assert at_chance_from(log(noise(20, seed=1), loss=0.9), "video", "non-saturating") is None
    assert at_chance_from(log(gaps, loss=BCE), "video", "non-saturating") is None


def test_the_beginning_of_chance_is_told_and_its_end_forgives() -> None:
    sound, dead = 2 + 0.1 * noise(20, seed=2), np.zeros(20)
    losses = np.repeat([0.3, BCE], 20)
    step = at_chance_from(log(np.concatenate([sound, dead]), loss=losses), "video", "non-saturating")
    assert 200 - 10 * WINDOW < step <= 200 + 10 * WINDOW
    recovered = log(np.concatenate([dead, sound]), loss=losses[::-1])
    assert at_chance_from(recovered, "video", "non-saturating") is None


def test_of_a_short_log_or_one_without_scores_nothing_is_said() -> None:
    assert at_chance_from(log(np.zeros(WINDOW - 1)), "video", "non-saturating") is None
    assert at_chance_from({"step": np.arange(20)}, "video", "non-saturating") is None
    assert at_chance_from({}, "video", "non-saturating") is None


def test_noise_is_at_chance_in_nearly_every_training() -> None:
    found = [at_chance_from(log(0.1 * noise(15, seed), loss=0.0), "video", "wasserstein") for seed in range(200)]
    assert 0 < sum(step is None for step in found) < 20  # eight heads of ten tosses, or more: one in eighteen
    loud = [at_chance_from(log(0.5 * noise(15, seed)), "video", "non-saturating") for seed in range(200)]
    assert 0 < sum(step is None for step in loud) < 20  # a mean of ten above a quarter: one in eighteen, too


@pytest.mark.parametrize("name", [model.name for model in pretrained.list_models()])
def test_of_our_trainings_the_one_with_kernels_of_2_had_collapsed(name: str) -> None:
    at_chance = collapsed(pretrained.open_run(name))
    assert at_chance == ({"video": 10} if name == "mocogan-video-k2-actions-32-curvature" else {})


def test_a_run_is_judged_by_its_log_up_to_a_step(tmp_path: Path) -> None:
    save_json(to_dict(RunConfig(zoo.config("mocogan-video"), {}, 0)), tmp_path / "config.json")
    gaps = np.repeat([2.0, 0.0], 20)
    metrics = log(gaps, loss=np.repeat([0.3, BCE], 20)) | {"seconds": np.arange(40.0)}
    lines = [json.dumps({key: values[place].item() for key, values in metrics.items()}) for place in range(40)]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    run = Run.open(tmp_path)
    assert list(collapsed(run)) == ["video"]
    assert collapsed(run, until=200) == {}


def test_spectral_normalisation_counts_even_where_it_goes_without_saying(tmp_path: Path) -> None:
    """Scores of bounded critics lie close together: that they are apart by little is no sign of chance."""
    config = zoo.config("dvd-gan-temporal")
    gaps = np.full(20, 0.1)
    metrics = {key.replace("video", "temporal"): value for key, value in log(gaps, loss=2.0).items()}
    metrics |= {"seconds": np.arange(20.0)}
    lines = [json.dumps({key: values[place].item() for key, values in metrics.items()}) for place in range(20)]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    temporal = config.discriminators["temporal"]
    assert "spectral" not in temporal.options
    for spectral, found in ((None, []), (True, []), (False, ["temporal"])):
        options = temporal.options | ({} if spectral is None else {"spectral": spectral})
        model = replace(config, discriminators={"temporal": replace(temporal, options=options)})
        save_json(to_dict(RunConfig(model, {}, 0)), tmp_path / "config.json")
        run = Run.open(tmp_path)
        assert list(collapsed(run)) == found
