"""Features, scores, and the weights of judges."""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from kinds.kind import Kind, Result, wrong
from ldvd_lib._kit.configuration import save_json
from ldvd_lib._kit.files import save_tensors
from ldvd_lib.metrics import I3D, Evaluation, i3d_weights
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.evaluation import Features, Source, extract
from ldvd_lib.metrics.network import FeatureNetwork
from ldvd_lib.metrics.protocol import PROTOCOLS, Judge
from ldvd_lib.metrics.weights import read_tensors


class _Colours(FeatureNetwork):
    """Mean and spread of each colour; three classes."""

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        mean = videos.mean((2, 3, 4))
        return {"fc7": torch.cat([mean, videos.std((2, 3, 4))], 1), "prob": (9 * mean).softmax(1)}


def _noise(seed: int, count: int, start: int = 0) -> Iterator[Tensor]:
    for first in range(start, count, 4):
        random = torch.Generator().manual_seed(1000 * seed + first)
        yield torch.rand(min(4, count - first), 3, 16, 4, 4, generator=random) - 0.5


def _extract(directory: Path, source: Source = _noise, seed: int = 0) -> Features:
    judge = Judge(PROTOCOLS["actions"], _Colours(), lambda videos: videos, "0123456789abcdef")
    return extract(judge, source, directory / "features", videos="noise", seed=seed, count=24, progress=False)


def make_features(directory: Path, number: int) -> None:
    _extract(directory, seed=number)


def use_features(directory: Path) -> Result:
    found = _extract(directory)
    return {"features": found.features.numpy().copy(), "probabilities": found.probabilities.numpy().copy()}


def make_unfinished_features(directory: Path, number: int) -> None:
    """An extraction that was interrupted half way."""

    def interrupted(seed: int, count: int, start: int) -> Iterator[Tensor]:
        for position, batch in enumerate(_noise(seed, count, start)):
            if position == 3:
                raise KeyboardInterrupt
            yield batch

    with contextlib.suppress(KeyboardInterrupt):
        _extract(directory, interrupted, seed=number)
        raise AssertionError("the features were finished")


def make_evaluation(directory: Path, number: int) -> None:
    values = {"is": (2.0 + number, 3.0), "fid": (10.5, 11.25)}
    Evaluation("run", "actions-v1", "ab" * 32, 24, "24 windows", (0, 1), values).save(directory / "evaluation.json")


def use_evaluation(directory: Path) -> Result:
    evaluation = Evaluation.load(directory / "evaluation.json")
    return {
        "seeds": evaluation.seeds,
        "values": evaluation.values,
        "summary": evaluation.summary(),
        "text": str(evaluation),
    }


def sound_evaluation(result: Result, expected: Result) -> str:
    values = [value for some in result["values"].values() for value in some]
    return wrong(
        numbers=all(isinstance(value, int | float) and not isinstance(value, bool) for value in values),
        finite=all(isinstance(value, int | float) and np.isfinite(value) for value in values),
        one_for_each_seed=all(len(some) == len(result["seeds"]) for some in result["values"].values()),
    )


NARROW = {"channels": (2, 3, 4, 3, 2), "hidden": 5, "image_size": 20}


def _c3d(number: int) -> dict[str, np.ndarray]:
    torch.manual_seed(number)
    return {name: tensor.numpy() for name, tensor in C3D(**NARROW).state_dict().items()}


def make_c3d(directory: Path, number: int) -> None:
    arrays = _c3d(number)
    np.savez(directory / "c3d.npz", **{n.replace(".weight", "/W").replace(".bias", "/b"): arrays[n] for n in arrays})


def use_c3d(directory: Path) -> Result:
    return {n: t.numpy() for n, t in C3D.from_chainer(directory / "c3d.npz", **NARROW).state_dict().items()}


def sound_c3d(result: Result, expected: Result) -> str:
    """Of two archives in a row, a ZIP is the last."""
    other = _c3d(1)
    return wrong(of_an_archive=all(np.array_equal(result[name], other[name]) for name in other))


def make_judge_weights(directory: Path, number: int, *, name: str) -> None:
    tensors = {"a": torch.full((3, 4), 1.0 + number), "b": torch.arange(6)}
    save_tensors(directory / name, tensors) if name.endswith(".safetensors") else torch.save(tensors, directory / name)


def use_judge_weights(directory: Path) -> Result:
    (path,) = directory.iterdir()
    return {name: tensor.numpy() for name, tensor in read_tensors(path, what="weights").items()}


def sound_judge_weights(result: Result, expected: Result) -> str:
    """Any names and shapes are sound here: they are matched with the network's afterwards."""
    return wrong(named=all(isinstance(name, str) for name in result))


class _NarrowI3D(I3D):
    def __init__(self) -> None:
        super().__init__(divisor=8)


def make_i3d(directory: Path, number: int) -> None:
    """What `i3d_weights.get` leaves, of a network that is quick to read."""
    torch.manual_seed(number)
    path = _NarrowI3D().save(directory / i3d_weights.WEIGHTS)
    save_json(i3d_weights._card(path, 0.0), directory / i3d_weights.CARD)


def use_i3d(directory: Path) -> Result:
    with mock.patch.object(i3d_weights, "I3D", _NarrowI3D):
        network, digest = i3d_weights.load(directory)
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()} | {"digest": digest}


FEATURES = "features/*.npy", "features/progress.json"


KINDS = {
    "features": Kind(make_features, use_features, FEATURES, None, ("sample/features",)),
    "unfinished features": Kind(make_unfinished_features, use_features, FEATURES, None, ("sample/features",)),
    "evaluation": Kind(make_evaluation, use_evaluation, ("evaluation.json",), sound_evaluation),
    "judge: C3D archive": Kind(make_c3d, use_c3d, ("c3d.npz",), sound_c3d),
    "judge: safetensors": Kind(
        partial(make_judge_weights, name="judge.safetensors"), use_judge_weights, ("judge.*",), sound_judge_weights
    ),
    "judge: state dict": Kind(
        partial(make_judge_weights, name="judge.pt"), use_judge_weights, ("judge.*",), sound_judge_weights
    ),
    "judge: I3D": Kind(make_i3d, use_i3d, (f"{i3d_weights.NAME}.*",)),
}
