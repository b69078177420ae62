"""Scores of runs, and where they are kept."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib.cli import main
from ldvd_lib.data import ClipStore, WindowSampler, prepare_beside
from ldvd_lib.generators import DVDGANGenerator, TGANGenerator
from ldvd_lib.metrics import PROTOCOLS, Evaluation, Features, open_judge
from ldvd_lib.metrics.feature_files import LOG
from ldvd_lib.runs import Run, results_of_run, scores
from ldvd_lib.runs.sources import describe_store
from ldvd_lib.training import Trainer

FEW = {"samples": 8, "device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def store(tiny_actions) -> ClipStore:
    return prepare_beside(tiny_actions, image_size=32, progress=False)


@pytest.fixture(scope="module")
def judge():
    return open_judge("actions")


@pytest.fixture(scope="module")
def real(store, judge) -> Features:
    return scores.real_features(judge, store, **FEW)


@pytest.fixture(scope="module")
def run(store, tmp_path_factory) -> Run:
    gan = zoo.config("tgan").with_recipe(batch_size=2, average=0).build()
    sampler = WindowSampler.for_gan(gan, store)
    directory = tmp_path_factory.mktemp("runs") / "run"
    trainer = Trainer(gan, sampler, directory, device="cpu", callbacks=[], checkpoint_every=1, progress=False)
    return trainer.run(2)


def test_real_features_are_kept_beside_the_store(store, judge, real) -> None:
    home = scores.features_directory(store, judge, 8)
    assert home == store.directory.with_name("actions-32-features") / "actions-v1-8"
    assert np.load(home / "features.npy").shape[0] == 8
    again = scores.real_features(judge, store, **FEW)
    assert again.record == real.record
    assert again.record["videos"] == describe_store(store)


def test_real_windows_have_the_stride_of_the_protocol(store, judge, real, tmp_path) -> None:
    """Clips of 18 frames are too short for every second one."""
    slow = replace(judge, protocol=replace(judge.protocol, frame_stride=2))
    with pytest.raises(ValueError, match="16 frames at stride 2 need clips of 31 frames"):
        scores.real_features(slow, store, directory=tmp_path / "a", **FEW)
    looped = scores.real_features(slow, store, directory=tmp_path / "b", short="loop", **FEW)
    assert looped.record["videos"] == real.record["videos"]
    features = [np.load(home / "features.npy") for home in (tmp_path / "b", scores.features_directory(store, judge, 8))]
    assert not np.allclose(*features)


def test_real_features_of_clips_in_memory_need_a_directory(judge, tmp_path) -> None:
    clips = ClipStore.from_clips(np.zeros((2, 16, 32, 32, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="give a directory"):
        scores.features_directory(clips, judge)


def test_a_run_keeps_its_scores_where_results_are_looked_for(run, judge, real) -> None:
    evaluation, path = scores.judge_run(run, judge, real, repeats=2, **FEW)
    assert path.parent == scores.evaluation_directory(run.directory, PROTOCOLS["actions"], 2, 8)
    assert Evaluation.load(path) == evaluation
    assert evaluation.windows == ""
    (result,) = results_of_run(run)
    assert (result.steps, result.samples, result.values) == (2, 8, evaluation.values)


def test_another_step_and_another_directory(run, judge, real, tmp_path) -> None:
    newest, path = scores.judge_run(run, judge, real, repeats=1, directory=tmp_path, **FEW)
    assert path == tmp_path / "evaluation.json"
    first, elsewhere = scores.judge_run(run, judge, real, step=1, repeats=1, **FEW)
    assert elsewhere.parent.name == "actions-v1-8-step-1"
    assert newest.name.startswith("run, step 2")
    assert newest.values != first.values
    with pytest.raises(FileNotFoundError, match=r"no checkpoint of step 7: it has \[1, 2\]"):
        scores.judge_run(run, judge, real, step=7, repeats=1, **FEW)


def moved(run: Run, place: Path) -> Run:
    """A copy of a run directory under another name."""
    return Run.open(shutil.copytree(run.directory, place))


def test_a_run_that_was_renamed_keeps_its_features(run, judge, real, tmp_path, monkeypatch) -> None:
    first, path = scores.judge_run(run, judge, real, repeats=1, **FEW)
    log = path.parent / "seed-0" / LOG
    assert json.loads(log.read_text())["videos"] == re.sub("^run, ", "", first.name)
    again = moved(run, tmp_path / "renamed, and moved")
    copy = again.directory / path.relative_to(run.directory)
    before = {file: file.stat().st_mtime_ns for file in copy.parent.rglob("*")}
    monkeypatch.setattr(type(judge.network), "activations", lambda *_: pytest.fail("nothing is to be computed"))
    evaluation, place = scores.judge_run(again, judge, real, repeats=1, **FEW)
    assert place == copy
    assert evaluation == replace(first, name=f"renamed, and moved, {json.loads(log.read_text())['videos']}")
    assert {file: file.stat().st_mtime_ns for file in copy.parent.rglob("*")} == before


def test_features_that_bear_the_runs_old_name_are_used(run, judge, real, tmp_path, monkeypatch) -> None:
    first, path = scores.judge_run(run, judge, real, repeats=1, directory=tmp_path / "out", **FEW)
    log = path.parent / "seed-0" / LOG
    log.write_text(json.dumps({**json.loads(log.read_text()), "videos": first.name}))  # as it was written once
    again = moved(run, tmp_path / "renamed")
    monkeypatch.setattr(type(judge.network), "activations", lambda *_: pytest.fail("nothing is to be computed"))
    evaluation, _ = scores.judge_run(again, judge, real, repeats=1, directory=path.parent, **FEW)
    assert evaluation.values == first.values


def test_what_a_killed_evaluation_left_is_removed_when_the_next_is_written(run, judge, real, tmp_path) -> None:
    leftover = tmp_path / ".evaluation-0034eb7f.json"
    leftover.write_text("{")
    (tmp_path / "evaluation.json").write_text("{")
    evaluation, path = scores.judge_run(run, judge, real, repeats=1, directory=tmp_path, **FEW)
    assert Evaluation.load(path) == evaluation
    assert not leftover.exists()


def test_another_generator_is_not_taken_for_the_one_that_was_judged(run, judge, real, tmp_path, monkeypatch) -> None:
    scores.judge_run(run, judge, real, repeats=1, directory=tmp_path, **FEW)
    with pytest.raises(ValueError, match=r"holds other features \(videos: 'step 2 .*' there, 'step 1 "):
        scores.judge_run(run, judge, real, step=1, repeats=1, directory=tmp_path, **FEW)
    changed = run.generator()
    next(changed.parameters()).data[0] += 1
    monkeypatch.setattr(Run, "generator", lambda *_: changed)
    with pytest.raises(ValueError, match=r"holds other features \(videos: 'step 2 .*' there, 'step 2 "):
        scores.judge_run(run, judge, real, repeats=1, directory=tmp_path, **FEW)


def test_cut_features_of_a_run_or_of_real_clips_give_no_score(run, judge, real, store, capsys) -> None:
    _, path = scores.judge_run(run, judge, real, repeats=1, **FEW)
    evaluate = ["evaluate", run.directory, "--data", store.directory, "--samples", 8, "--repeats", 1, "--quiet"]
    for file in (path.parent / "seed-0" / "features.npy", scores.features_directory(store, judge, 8) / "features.npy"):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        assert main([*map(str, evaluate), "--device", "cpu"]) == 1
        out, err = capsys.readouterr()
        assert f"{file} is damaged" in err and "is" not in out.split()
        file.write_bytes(whole)
    assert main([*map(str, evaluate), "--device", "cpu"]) == 0
    assert str(path) in capsys.readouterr().out


def test_real_features_may_be_kept_elsewhere(run, judge, real, store, tmp_path, capsys) -> None:
    arguments = ["evaluate", run.directory, "--data", store.directory, "--samples", 8, "--repeats", 1, "--quiet"]
    arguments += ["--features", tmp_path / "features", "--out", tmp_path / "out", "--device", "cpu"]
    assert main([*map(str, arguments)]) == 0
    features = np.load(tmp_path / "features" / "features.npy")
    torch.testing.assert_close(torch.from_numpy(features), real.features)  # to rounding: another number of threads, say


def test_clips_in_memory_are_judged_as_those_in_files(tiny_actions, store, judge, real, tmp_path) -> None:
    in_memory = ClipStore.from_clips(list(store))
    again = scores.real_features(judge, in_memory, directory=tmp_path / "real", **FEW)
    torch.testing.assert_close(again.features, real.features)
    # Other clips than the real ones: of a clip that is its own neighbour, rounding decides how many it has (density).
    test = prepare_beside(tiny_actions, image_size=32, subset="test", progress=False)
    clips = ClipStore.from_clips(list(test))
    evaluation, _ = scores.judge_clips(clips, judge, again, repeats=1, directory=tmp_path / "clips", **FEW)
    other, _ = scores.judge_clips(test, judge, real, repeats=1, directory=tmp_path / "files", **FEW)
    for metric, values in other.values.items():
        assert evaluation.values[metric] == pytest.approx(values, rel=1e-4)


def test_held_out_clips_are_judged_alike(tiny_actions, judge, real, tmp_path: Path) -> None:
    test = prepare_beside(tiny_actions, image_size=32, subset="test", progress=False)
    evaluation, path = scores.judge_clips(test, judge, real, repeats=1, directory=tmp_path, **FEW)
    assert Evaluation.load(path) == evaluation
    assert "(test)" in evaluation.name
    assert evaluation.real.startswith("8 windows of ")


def paints(num_frames: int):
    """What takes the place of `Run.generator`: a tiny one of clips of some length."""
    channels = (4,) * (num_frames.bit_length() - 1)
    generator = TGANGenerator(32, num_frames, 6, temporal_channels=channels, image_channels=8)
    return lambda *_: generator


def test_longer_clips_are_judged_by_windows_and_the_result_says_so(run, judge, real, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Run, "generator", paints(32))
    evaluation, path = scores.judge_run(run, judge, real, repeats=1, directory=tmp_path, **FEW)
    assert evaluation.windows == "windows of 16 of 32 frames"
    assert "1 × 8 videos (windows of 16 of 32 frames), real" in str(evaluation)
    assert Evaluation.load(path) == evaluation


def test_shorter_clips_are_refused_before_features_are_computed(run, judge, real, store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Run, "generator", paints(8))
    with pytest.raises(ValueError, match="windows of 16 frames"):
        scores.judge_run(run, judge, real, repeats=1, directory=tmp_path / "out", **FEW)
    features = scores.features_directory(store, judge, 7)
    arguments = ["evaluate", run.directory, "--data", store.directory, "--samples", 7, "--device", "cpu", "--quiet"]
    assert main([*map(str, arguments), "--out", str(tmp_path / "out")]) == 1
    assert "generator makes clips of 8" in capsys.readouterr().err
    assert not features.exists()
    assert not (tmp_path / "out").exists()


class Shows(DVDGANGenerator):
    """Of each class it shows what a store has of it."""

    def __init__(self, store: ClipStore) -> None:
        super().__init__(32, 16, num_categories=len(store.class_names), channels=(4, 4, 4, 4), blocks=1)
        clips = [store[store.labels.tolist().index(label)][:16] for label in range(len(store.class_names))]
        self.clips = torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3) / 127.5 - 1

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.clips[latents[:, self.latent_parts["category"]].argmax(1)]


def test_real_clips_are_named_what_they_are_in_whatever_order_classes_come(store, judge) -> None:
    found = scores.judge_classes(Shows(store), judge, store.class_names, each=2)
    assert found.accuracy > 0.7 and found.class_names == tuple(store.class_names)
    assert all(sum(row) == 2 for row in found.counts)
    others = ClipStore.from_clips(
        list(store), labels=len(store.class_names) - 1 - store.labels, class_names=store.class_names[::-1]
    )
    turned = scores.judge_classes(Shows(others), judge, others.class_names, each=2)
    assert turned.accuracies == found.accuracies


def test_classes_are_judged_by_who_knows_them_and_of_a_generator_that_has_them(store, judge, run) -> None:
    generator = Shows(store)
    with pytest.raises(ValueError, match=r"does not know \['Swim'\]"):
        scores.judge_classes(generator, judge, [*store.class_names[1:], "Swim"])
    with pytest.raises(ValueError, match=r"there are 1 classes, and latents with .* categories"):
        scores.judge_classes(generator, judge, store.class_names[:1])
    with pytest.raises(ValueError, match="and latents with 0 categories"):
        scores.judge_classes(run.generator(), judge, store.class_names)
