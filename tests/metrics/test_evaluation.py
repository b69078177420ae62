"""Features streamed to disk, interrupted and continued, and results that know what they may be compared with."""

import json
import math
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ldvd_lib.metrics import evaluation, frechet_distance, inception_score, kernel_distance, neighbour_metrics
from ldvd_lib.metrics.evaluation import Evaluation, Features, evaluate, extract
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


def test_a_second_process_waits_for_the_features_and_computes_none(judge, tmp_path) -> None:
    entered, go_on, begun = threading.Event(), threading.Event(), []

    def held_up(seed: int, count: int, start: int) -> Iterator[Tensor]:
        begun.append(start)
        entered.set()
        go_on.wait(10)
        yield from noise(seed, count, start)

    found: list[Features] = []
    askers = [threading.Thread(target=lambda: found.append(features(judge, tmp_path, held_up))) for _ in range(2)]
    askers[0].start()
    entered.wait(10)
    askers[1].start()
    go_on.set()
    for asker in askers:
        asker.join()
    assert begun == [0]
    assert torch.equal(found[0].features, found[1].features)


def everything(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(directory)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [directory, *directory.rglob("*")]
    }


def test_finished_features_are_read_without_writing_anything(judge, tmp_path, monkeypatch) -> None:
    first = features(judge, tmp_path)
    (tmp_path / evaluation.LOCK).unlink()
    before = everything(tmp_path)
    monkeypatch.setattr(evaluation, "locked", lambda *_, **__: pytest.fail("nothing is to be locked"))
    assert torch.equal(features(judge, tmp_path).features, first.features)
    assert everything(tmp_path) == before


def test_features_under_the_name_that_a_run_had_once_are_the_same(judge, tmp_path) -> None:
    """Records once began with the name of the run's directory."""
    first = features(judge, tmp_path, videos="a, b, step 20 (0123abcd)")
    judge.network.judged.clear()
    again = features(judge, tmp_path, videos="step 20 (0123abcd)")
    assert torch.equal(again.features, first.features)
    assert judge.network.judged == []
    for other in ("step 20 (0123abce)", "step 2 (0123abcd)", "b, step 20 (0123abcd)"):
        with pytest.raises(ValueError, match="holds other features"):
            features(judge, tmp_path, videos=other)
    features(judge, tmp_path / "words", videos="real, noise")
    with pytest.raises(ValueError, match="holds other features"):
        features(judge, tmp_path / "words", videos="noise")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_videos_of_any_precision_are_judged_in_single_precision(judge, tmp_path, dtype: torch.dtype) -> None:
    def source(dtype: torch.dtype):
        return lambda seed, count, start: (videos.to(dtype) for videos in noise(seed, count, start))

    found = features(judge, tmp_path / "as they are", source(dtype))
    rounded = features(judge, tmp_path / "rounded", lambda *a: (videos.to(dtype).float() for videos in noise(*a)))
    assert torch.equal(found.features, rounded.features)
    tolerance = 0 if dtype == torch.float64 else 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(found.features, features(judge, tmp_path / "n").features, atol=tolerance, rtol=0)


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
        (
            lambda seed, count, start: (v.to(torch.uint8) for v in noise(seed, count, start)),
            "floating-point .*got torch.uint8; `ldvd_lib.video.to_float`",
        ),
        (lambda seed, count, start: (v.to(torch.int64) for v in noise(seed, count, start)), "got torch.int64"),
        (lambda seed, count, start: (v.to(torch.complex64) for v in noise(seed, count, start)), "got torch.complex64"),
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


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], [], [1.0, math.nan], [1.0, math.inf], [1.0, "2"], 1.0])
def test_an_evaluation_without_a_value_for_each_seed_is_refused(judge, tmp_path, values) -> None:
    path = judged(judge, tmp_path).save(tmp_path / "evaluation.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"values": record["values"] | {"fid": values}}))
    with pytest.raises(ValueError, match=r"evaluation\.json.*(fid|NaN|Infinity)"):
        Evaluation.load(path)


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
