"""Features streamed to disk, interrupted and continued, and results that know what they may be compared with."""

import json
import math
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import evaluation, frechet_distance, inception_score, kernel_distance, neighbour_metrics
from ldvd_lib.metrics.evaluation import LOG, Evaluation, evaluate, extract
from ldvd_lib.metrics.network import FeatureNetwork
from ldvd_lib.metrics.protocol import PROTOCOLS, Judge, Protocol


class Colours(FeatureNetwork):
    """A network whose features are mean and spread of each colour; three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.judged: list[int] = []

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        self.judged.append(len(videos))
        mean = videos.mean((2, 3, 4))
        return {"fc7": torch.cat([mean, videos.std((2, 3, 4))], 1), "prob": (9 * mean).softmax(1)}


def noise(seed: int, count: int, start: int = 0, batch: int = 4, shift: float = 0.0) -> Iterator[Tensor]:
    """Videos of flat random colours with a little noise."""
    random = torch.Generator().manual_seed(seed)
    colours = torch.rand(count, 3, 1, 1, 1, generator=random) * 0.6 - 0.3 + shift
    for first in range(start, count, batch):
        flat = colours[first : first + batch]
        yield flat + 0.1 * torch.sin(torch.arange(1.0, 17) * (first + 1)).view(16, 1, 1).expand(len(flat), 3, 16, 4, 4)


@pytest.fixture
def judge() -> Judge:
    return Judge(PROTOCOLS["actions"], Colours(), lambda videos: videos, "0123456789abcdef")


def features(judge: Judge, directory, source=noise, **changes):
    arguments = {"videos": "noise", "seed": 0, "count": 18, "progress": False} | changes
    return extract(judge, source, directory, **arguments)


def test_features_are_the_networks(judge, tmp_path) -> None:
    extracted = features(judge, tmp_path)
    videos = torch.cat(list(noise(0, 18)))
    expected = judge.network.activations(videos)
    torch.testing.assert_close(extracted.features, expected["fc7"])
    torch.testing.assert_close(extracted.probabilities, expected["prob"])
    assert extracted.record == {
        "protocol": "actions-v1",
        "weights": "0123456789abcdef",
        "videos": "noise",
        "seed": 0,
        "count": 18,
    }


def test_what_is_there_is_not_computed_again(judge, tmp_path) -> None:
    first = features(judge, tmp_path)
    judge.network.judged.clear()
    again = features(judge, tmp_path)
    assert judge.network.judged == []
    assert torch.equal(again.features, first.features)
    assert torch.equal(again.probabilities, first.probabilities)


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_an_interruption_costs_nothing(judge, tmp_path, batches: int) -> None:
    def dies(seed: int, count: int, start: int) -> Iterator[Tensor]:
        for number, videos in enumerate(noise(seed, count, start)):
            if number == batches:
                raise KeyboardInterrupt
            yield videos

    whole = features(judge, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        features(judge, tmp_path / "broken", dies)
    judge.network.judged.clear()
    continued = features(judge, tmp_path / "broken")
    assert sum(judge.network.judged) == 18 - 4 * batches
    assert torch.equal(continued.features, whole.features)
    assert torch.equal(continued.probabilities, whole.probabilities)


def test_what_the_log_counts_is_on_the_disk(judge, tmp_path, monkeypatch) -> None:
    """Each array is flushed and synchronised, then the log is written: never the other way round."""
    monkeypatch.setattr(evaluation, "SECONDS_BETWEEN_LOGS", 0.0)
    events: list[str] = []
    flush, to_disk, replacing = np.memmap.flush, evaluation.to_disk, evaluation.replacing

    def flushed(array: np.memmap) -> None:
        events.append(f"flush {Path(array.filename).name}")
        flush(array)

    def synchronised(path: Path) -> None:
        events.append(f"sync {path.name}")
        to_disk(path)

    def replaced(path: Path):
        events.append(f"write {path.name}")
        return replacing(path)

    monkeypatch.setattr(np.memmap, "flush", flushed)
    monkeypatch.setattr(evaluation, "to_disk", synchronised)
    monkeypatch.setattr(evaluation, "replacing", replaced)
    features(judge, tmp_path / "new")
    assert events[:2] == ["sync new", "sync new"]  # the names of the two files, in their directory
    names = ("features.npy", "probabilities.npy")
    batch = [*(f"{verb} {name}" for name in names for verb in ("flush", "sync")), f"write {LOG}"]
    assert events[2:] == 5 * batch


def test_fast_batches_do_not_wait_for_the_disk(judge, tmp_path, monkeypatch) -> None:
    logged: list[Path] = []
    replacing = evaluation.replacing
    monkeypatch.setattr(evaluation, "replacing", lambda path: (logged.append(path), replacing(path))[1])
    clock = iter(range(1000))
    monkeypatch.setattr(evaluation.time, "monotonic", lambda: next(clock))
    features(judge, tmp_path, count=100)  # 25 batches, each a second after the last
    assert 3 <= len(logged) <= 6
    assert json.loads((tmp_path / LOG).read_text())["done"] == 100


def test_what_a_kill_left_unlogged_is_computed_again(judge, tmp_path, monkeypatch) -> None:
    whole = features(judge, tmp_path / "whole")
    log = tmp_path / "killed" / LOG
    features(judge, log.parent)
    record = json.loads(log.read_text())
    log.write_text(json.dumps({**record, "done": 8}))
    np.lib.format.open_memmap(log.with_name("features.npy"), mode="r+")[8:] = math.nan  # never written
    judge.network.judged.clear()
    assert torch.equal(features(judge, log.parent).features, whole.features)
    assert sum(judge.network.judged) == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"count": 20}, "count: 18 there, 20 now"),
        ({"videos": "other noise"}, "videos: 'noise' there, 'other noise' now"),
    ],
)
def test_features_of_something_else_are_refused(judge, tmp_path, changes, message: str) -> None:
    features(judge, tmp_path)
    with pytest.raises(ValueError, match=message):
        features(judge, tmp_path, **changes)


def test_features_of_another_judge_are_refused(judge, tmp_path) -> None:
    features(judge, tmp_path)
    with pytest.raises(ValueError, match="weights: '0123456789abcdef' there, 'fedc' now"):
        features(replace(judge, weights="fedc"), tmp_path)
    newer = replace(judge, protocol=replace(judge.protocol, version=2))
    with pytest.raises(ValueError, match="protocol: 'actions-v1' there, 'actions-v2' now"):
        features(newer, tmp_path)


def test_only_a_batch_is_ever_held(judge, tmp_path) -> None:
    alive: list[weakref.ref] = []
    most = 0

    def counted(seed: int, count: int, start: int) -> Iterator[Tensor]:
        nonlocal most
        for videos in noise(seed, count, start):
            most = max(most, sum(reference() is not None for reference in alive))
            videos = videos.clone()
            alive.append(weakref.ref(videos))
            yield videos
            del videos

    features(judge, tmp_path, counted, count=60)
    assert len(alive) == 15
    assert most <= 1


def broken(value: float):
    def source(seed: int, count: int, start: int) -> Iterator[Tensor]:
        for videos in noise(seed, count, start):
            videos = videos.clone()
            videos[-1, 0, 3, 2, 1] = value
            yield videos

    return source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (broken(math.nan), "not finite"),
        (broken(math.inf), "not finite"),
        (broken(1.5), r"in \[-1, 1\], and these go from -0.\d+ to 1.5"),
        (lambda seed, count, start: (255 * (v + 1) / 2 for v in noise(seed, count, start)), r"in \[-1, 1\]"),
        (lambda seed, count, start: (v[:, :1] for v in noise(seed, count, start)), r"\(N, 3, T, H, W\), got \(4, 1"),
        (
            lambda seed, count, start: (v[:, :, :8] for v in noise(seed, count, start)),
            "windows of 16 .*gave videos of 8",
        ),
        (
            lambda seed, count, start: (torch.cat([v, v], 2) for v in noise(seed, count, start)),
            "windows .*num_frames=16",
        ),
        (lambda seed, count, start: (v[0] for v in noise(seed, count, start)), r"\(N, 3, T, H, W\), got \(3, 16"),
        (lambda seed, count, start: noise(seed, count - 4, start), "gave 14 videos, but 18 were asked for"),
        (lambda seed, count, start: noise(seed, count + 9, start), "batch of 4 videos where 1 to 2 were left"),
    ],
)
def test_bad_videos(judge, tmp_path, source, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        features(judge, tmp_path, source)
    assert sum(judge.network.judged) < 18


def judged(judge: Judge, tmp_path, name: str = "generated", source=noise, **changes) -> Evaluation:
    real = features(judge, tmp_path / "real", seed=9, videos="real noise", count=18)
    arguments = {"name": name, "samples": 14, "repeats": 2, "seed": 3, "progress": False} | changes
    return evaluate(judge, source, real, tmp_path / name, **arguments)


def test_every_metric_of_every_repetition(judge, tmp_path) -> None:
    result = judged(judge, tmp_path)
    assert (result.protocol, result.samples, result.seeds) == ("actions-v1", 14, (3, 4))
    assert result.real == "18 real noise, seed 9"
    real = features(judge, tmp_path / "real", seed=9, videos="real noise", count=18).features
    for number, seed in enumerate(result.seeds):
        activations = judge.network.activations(torch.cat(list(noise(seed, 14))))
        neighbours = neighbour_metrics(real, activations["fc7"])
        expected = {
            "is": inception_score(activations["prob"]),
            "fid": frechet_distance(activations["fc7"], real),
            "kid": kernel_distance(activations["fc7"], real),
            "precision": neighbours.precision,
            "recall": neighbours.recall,
            "density": neighbours.density,
            "coverage": neighbours.coverage,
        }
        # The network sums in another order, in float32.
        assert {metric: values[number] for metric, values in result.values.items()} == pytest.approx(expected, rel=1e-6)


def test_fvd_has_its_own_names_and_no_classes(tmp_path) -> None:
    protocol = Protocol("video", 1, "i3d", "fc7", False, samples=14, repeats=1)
    judge = Judge(protocol, Colours(), lambda videos: videos, "0" * 64)
    result = judged(judge, tmp_path, samples=None, repeats=None)
    assert list(result.values) == ["fvd", "kvd", "precision", "recall", "density", "coverage"]
    assert (result.samples, len(result.seeds)) == (14, 1)
    assert math.isnan(result.summary()["fvd"][1])
    assert "±" not in str(result)


def test_an_evaluation_goes_on_where_it_was_broken_off(judge, tmp_path) -> None:
    whole = judged(judge, tmp_path, "whole")

    def dies(seed: int, count: int, start: int) -> Iterator[Tensor]:
        for videos in noise(seed, count, start):
            if seed == 4 and start == 0 and len(judge.network.judged) > 5:
                raise KeyboardInterrupt
            yield videos

    judge.network.judged.clear()
    with pytest.raises(KeyboardInterrupt):
        judged(judge, tmp_path, "broken", dies)
    judge.network.judged.clear()
    assert judged(judge, tmp_path, "broken").values == whole.values
    assert sum(judge.network.judged) < 14


def test_summary_and_file(judge, tmp_path) -> None:
    result = replace(judged(judge, tmp_path), values={"fid": (1.0, 3.0)})
    assert result.summary()["fid"] == (2.0, pytest.approx(2**0.5))
    assert "fid" in str(result)
    assert "2 ± 1.4" in str(result)
    record = json.loads(result.save(tmp_path / "evaluation.json").read_text())
    assert record["values"] == {"fid": [1.0, 3.0]}
    assert record["seeds"] == [3, 4]
    assert Evaluation.load(tmp_path / "evaluation.json") == result
    assert Evaluation.load(replace(result, windows="windows of 16 of 32 frames").save(tmp_path / "w.json")) != result


def test_a_file_from_before_windows_were_cut_still_loads(judge, tmp_path) -> None:
    result = judged(judge, tmp_path)
    path = result.save(tmp_path / "evaluation.json")
    record = json.loads(path.read_text())
    assert record.pop("windows") == ""
    path.write_text(json.dumps(record))
    assert Evaluation.load(path) == result


def test_what_was_judged_of_each_clip_is_part_of_the_result(judge, tmp_path) -> None:
    result = judged(judge, tmp_path, windows="windows of 16 of 32 frames")
    assert result.windows == "windows of 16 of 32 frames"
    assert "2 × 14 videos (windows of 16 of 32 frames), real: 18 real noise" in str(result)
    assert "()" not in str(replace(result, windows=""))


def test_differences(judge, tmp_path) -> None:
    close = judged(judge, tmp_path, "close")
    far = judged(judge, tmp_path, "far", lambda seed, count, start: noise(seed, count, start, shift=0.3))
    difference = far.difference(close)
    assert difference["fid"] == far.summary()["fid"][0] - close.summary()["fid"][0] > 0
    assert difference["coverage"] < 0


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"protocol": "actions-v2"}, "protocol"),
        ({"weights": "other"}, "weights"),
        ({"samples": 15}, "samples"),
        ({"real": "18 other clips, seed 9"}, "real"),
    ],
)
def test_what_was_judged_otherwise_is_not_compared(judge, tmp_path, changes, what: str) -> None:
    result = judged(judge, tmp_path)
    with pytest.raises(ValueError, match=f"cannot be compared: {what} is"):
        result.difference(replace(result, name="another", **changes))


def test_real_features_of_another_judge(judge, tmp_path) -> None:
    real = features(judge, tmp_path / "real")
    other = replace(judge, weights="fedc")
    with pytest.raises(ValueError, match=r"the real features are of actions-v1 with the network 0123456789ab, not"):
        evaluate(other, noise, real, tmp_path / "out", name="x", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changes", [{"samples": 1}, {"samples": 5}, {"repeats": -1}])
def test_too_few_samples(judge, tmp_path, changes) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        judged(judge, tmp_path, **changes)
