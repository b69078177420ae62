"""Metrics of batches are those of all samples at once: whatever the batches, their order and the processes."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from ldvd_lib import metrics
from ldvd_lib.metrics import (
    FrechetDistance,
    GaussianStatistics,
    InceptionScore,
    frechet_distance,
    inception_score,
)


@pytest.fixture(scope="module")
def probabilities() -> Tensor:
    return torch.randn(97, 6, generator=torch.Generator().manual_seed(0)).mul(2).softmax(1)


@pytest.fixture(scope="module")
def sets() -> tuple[Tensor, Tensor]:
    """Generated and real features, far from the origin: sums of squares would cancel."""
    random = torch.Generator().manual_seed(1)
    generated, real = (torch.randn(n, 5, generator=random, dtype=torch.float64) for n in (83, 61))
    return 2 * generated + 1e6, real + 1e6


def fill(metric: FrechetDistance, generated: Tensor, real: Tensor, *, size: int = 20) -> FrechetDistance:
    for batch in generated.split(size):
        metric.update(batch)
    for batch in real.split(size):
        metric.update(batch, real=True)
    return metric


@pytest.mark.parametrize("size", [1, 7, 97])
def test_batches_do_not_change_the_score(probabilities, size):
    metric = InceptionScore(6)
    for batch in probabilities.flip(0).split(size):
        metric.update(batch)
    assert metric.compute().item() == pytest.approx(inception_score(probabilities), rel=1e-12)
    assert metric.compute().dtype == torch.float64


@pytest.mark.parametrize("size", [1, 7, 83])
def test_batches_do_not_change_the_distance(sets, size):
    metric = fill(FrechetDistance(5), sets[0].flip(0), sets[1], size=size)
    assert metric.compute().item() == pytest.approx(frechet_distance(*sets), rel=1e-8)
    statistics = metric.statistics(real=True)
    whole = GaussianStatistics.of(sets[1])
    assert statistics.count == 61
    torch.testing.assert_close(statistics.covariance, whole.covariance, rtol=1e-8, atol=1e-8)


def test_two_instances_merge(probabilities, sets):
    first, second = InceptionScore(6), InceptionScore(6)
    first.update(probabilities[:30])
    second.update(probabilities[30:])
    first.merge_state(second)
    assert first.compute().item() == pytest.approx(inception_score(probabilities), rel=1e-12)

    generated, real = sets
    first, second = (
        fill(FrechetDistance(5), generated[:9], real[:50]),
        fill(FrechetDistance(5), generated[9:], real[50:]),
    )
    first.merge_state(second)
    assert first.compute().item() == pytest.approx(frechet_distance(*sets), rel=1e-8)
    first.merge_state(FrechetDistance(5))  # that has seen nothing
    assert first.compute().item() == pytest.approx(frechet_distance(*sets), rel=1e-8)
    with pytest.raises(ValueError, match="this metric has 5 features and the other has 4"):
        first.merge_state(FrechetDistance(4))
    with pytest.raises(ValueError, match="only another FrechetDistance"):
        first.merge_state(FrechetDistance(5, real=GaussianStatistics.of(real)))


def test_processes_reduce_to_all_samples(probabilities, sets):
    """torchmetrics' own reduction, with the gathering of three processes, one without samples, played by a function."""

    def on_all(instances: list) -> list[Tensor]:
        """What `compute` gives on each process."""
        values = []
        for instance in instances:
            # What all processes have, in the order in which the states are asked for.
            states = iter([[getattr(one, state).clone() for one in instances] for state in instance._defaults])
            instance.dist_sync_fn = lambda state, group, states=states: next(states)
            instance.distributed_available_fn = lambda: True
            values.append(instance.compute())
        return values

    scores = [InceptionScore(6) for _ in range(3)]
    distances = [FrechetDistance(5) for _ in range(3)]
    for rank in range(2):
        scores[rank].update(probabilities[rank::2])
        fill(distances[rank], sets[0][rank::2], sets[1][rank::2])
    with pytest.warns(UserWarning, match="before the ``update`` method"):
        assert on_all(scores) == [pytest.approx(inception_score(probabilities), rel=1e-12)] * 3
    with pytest.warns(UserWarning, match="before the ``update`` method"):
        assert on_all(distances) == [pytest.approx(frechet_distance(*sets), rel=1e-8)] * 3
    # Afterwards each process has its own samples again, and may go on.
    assert distances[0].statistics().count == 42
    distances[0].update(sets[0])
    assert distances[0].statistics().count == 42 + 83


_PROCESS = """
import sys, torch
import torch.distributed as dist
from ldvd_lib.metrics import FrechetDistance, InceptionScore
rank, file = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
random = torch.Generator().manual_seed(0)
generated, real = torch.randn(40, 5, generator=random), torch.randn(30, 5, generator=random)
distance, score = FrechetDistance(5), InceptionScore(5)
distance.update(generated[rank::2])
distance.update(real[rank::2], real=True)
score.update(generated[rank::2].softmax(1))
print(repr(distance.compute().item()), repr(score.compute().item()))
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_real_processes(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, str(rank), str(tmp_path / "meeting")], stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        lines = [process.communicate(timeout=120)[0].split() for process in processes]
    finally:
        for process in processes:
            process.kill()
    random = torch.Generator().manual_seed(0)
    generated, real = torch.randn(40, 5, generator=random), torch.randn(30, 5, generator=random)
    for line in lines:
        assert float(line[0]) == pytest.approx(frechet_distance(generated, real), rel=1e-10)
        assert float(line[1]) == pytest.approx(inception_score(generated.softmax(1)), rel=1e-12)


def test_given_statistics_stand_in_for_the_real_data(sets):
    generated, real = sets
    metric = FrechetDistance(5, real=GaussianStatistics.of(real))
    metric.update(generated)
    assert metric.compute().item() == pytest.approx(frechet_distance(*sets), rel=1e-8)
    assert metric.statistics(real=True).count == 61
    with pytest.raises(ValueError, match="statistics of the real data were given"):
        metric.update(real, real=True)
    with pytest.raises(ValueError, match="this metric has 6 features and real has 5"):
        FrechetDistance(6, real=GaussianStatistics.of(real))


def test_an_interrupted_evaluation_goes_on_from_its_state(probabilities, sets):
    first, again = FrechetDistance(5), FrechetDistance(5)
    fill(first, sets[0][:40], sets[1])
    again.load_state_dict(first.state_dict())
    again.update(sets[0][40:])
    assert again.compute().item() == pytest.approx(frechet_distance(*sets), rel=1e-8)

    first, again = InceptionScore(6), InceptionScore(6)
    first.update(probabilities[:40])
    again.load_state_dict(first.state_dict())
    again.update(probabilities[40:])
    assert again.compute().item() == pytest.approx(inception_score(probabilities), rel=1e-12)


def test_reset_forgets(probabilities, sets):
    metric = fill(FrechetDistance(5), *sets)
    metric.reset()
    fill(metric, sets[1], sets[0])
    assert metric.compute().item() == pytest.approx(frechet_distance(sets[1], sets[0]), rel=1e-8)
    score = InceptionScore(6)
    score.update(probabilities[:50])
    score.reset()
    score.update(probabilities)
    assert score.compute().item() == pytest.approx(inception_score(probabilities), rel=1e-12)


def test_casting_does_not_cost_precision(probabilities):
    metric = InceptionScore(6).half().float()
    metric.update(probabilities)
    assert metric.total.dtype == torch.float64
    assert metric.compute().item() == pytest.approx(inception_score(probabilities), rel=1e-12)


def test_calling_the_score_gives_the_batchs_own(probabilities):
    metric = InceptionScore(6)
    for batch in probabilities.split(30):
        if len(batch) > 1:
            assert metric(batch).item() == pytest.approx(inception_score(batch), rel=1e-12)
    with pytest.raises(NotImplementedError, match="call update"):
        FrechetDistance(5)(torch.zeros(3, 5))


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_mistakes_are_named(probabilities, sets):
    score, distance = InceptionScore(5), FrechetDistance(4)
    with pytest.raises(ValueError, match="5 classes"):
        score.update(probabilities)
    with pytest.raises(ValueError, match="this metric has 4 features and the batch has 5"):
        distance.update(sets[0])
    with pytest.raises(ValueError, match="NaN"):
        distance.update(torch.full((2, 4), float("nan")))
    with pytest.raises(ValueError, match="2 samples or more, got 0"):
        score.compute()
    distance.update(torch.randn(9, 4, generator=torch.Generator().manual_seed(0)))
    with pytest.raises(ValueError, match="real set needs 2 samples or more, got 0"):
        distance.compute()
    distance.update(torch.ones(1, 4), real=True)
    with pytest.raises(ValueError, match="real set needs 2 samples or more, got 1"):
        distance.compute()
    for make in (InceptionScore, FrechetDistance):
        with pytest.raises(ValueError, match="whole number"):
            make(0)


def test_a_bad_batch_leaves_the_state_as_it_was(probabilities):
    metric = InceptionScore(6)
    metric.update(probabilities[:50])
    bad = probabilities[50:].clone()
    bad[3, 2] = float("nan")
    with pytest.raises(ValueError, match="1 of 47"):
        metric.update(bad)
    metric.update(probabilities[50:])
    assert metric.compute().item() == pytest.approx(inception_score(probabilities), rel=1e-12)


def test_the_functions_do_without_torchmetrics():
    script = (
        "import sys; from ldvd_lib.metrics import frechet_distance, inception_score, kernel_distance;"
        "print([m for m in ('torchmetrics', 'torchvision', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_is_there():
    for name in metrics.__all__:
        assert getattr(getattr(metrics, name), "__name__", name) == name  # PROTOCOLS is a table
    with pytest.raises(AttributeError, match="FrechetDistance"):
        _ = metrics.FrechetDistanze
