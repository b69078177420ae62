"""The training loop."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ldvd_lib.gan import VideoGANConfig
from ldvd_lib.runs import Run
from ldvd_lib.runs.checkpoint import load_weights
from ldvd_lib.training import SampleGrid, SpectrumProbe, Trainer, TrainingDiverged, calibrate_, players


def train(config, sampler, directory: Path, steps: int, **options) -> Trainer:
    options = {"device": "cpu", "callbacks": [], "progress": False, "log_every": 1, **options}
    trainer = Trainer(config.build(seed=1), sampler, directory, **options)
    trainer.run(steps)
    return trainer


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_weights(Run.open(run).checkpoints[-1] / "weights.safetensors")


def numbers(run: Path, log: str = "metrics.jsonl") -> list[dict]:
    """What was logged, without the clock."""
    lines = (run / log).read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def assert_same_run(one: Path, two: Path) -> None:
    first, second = weights(one), weights(two)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
    assert numbers(one) == numbers(two)


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "whole", 12)
    train(tiny_config, make_sampler(), tmp_path / "parts", 5)
    trainer = train(tiny_config, make_sampler(), tmp_path / "parts", 12, resume=True)
    assert trainer.step == 12
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_what_was_logged_after_the_checkpoint_is_forgotten(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "run", 4)
    for name in ("metrics.jsonl", "spectrum.jsonl"):
        lines = [json.dumps({"step": step, "discriminator": "video"}) for step in (2, 4, 4, 5, 6)]
        (tmp_path / "run" / name).write_text("\n".join([*lines, '{"step": 7, "discrim']))
    Trainer(tiny_config.build(), make_sampler(), tmp_path / "run", device="cpu", resume=True, progress=False)
    for name in ("metrics.jsonl", "spectrum.jsonl"):
        assert [record["step"] for record in numbers(tmp_path / "run", name)] == [2, 4, 4]


@pytest.mark.parametrize("tail", [bytes(500), b'{"step": 5, "loss": 0.', b'{"step"' + bytes(50) + b'4}\n{"step": 9}\n'])
def test_what_a_power_cut_made_of_the_end_of_a_log_is_cut(tmp_path, tiny_config, make_sampler, tail: bytes) -> None:
    train(tiny_config, make_sampler(), tmp_path / "whole", 6)
    train(tiny_config, make_sampler(), tmp_path / "cut", 4)
    with (tmp_path / "cut" / "metrics.jsonl").open("ab") as log:
        log.write(tail)
    train(tiny_config, make_sampler(), tmp_path / "cut", 6, resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


def test_damage_before_the_checkpoint_is_no_power_cut_and_is_named(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "run", 4)
    log = tmp_path / "run" / "metrics.jsonl"
    log.write_text(damaged := log.read_text().replace('"step": 2', '"step": x'))
    with pytest.raises(ValueError, match=r"line 2 of .*metrics\.jsonl is not JSON"):
        train(tiny_config, make_sampler(), tmp_path / "run", 6, resume=True)
    assert log.read_text() == damaged


def test_calling_run_again_continues(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "whole", 6)
    trainer = train(tiny_config, make_sampler(), tmp_path / "parts", 3)
    trainer.run(6)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_seeds_decide_everything(tmp_path, tiny_config, make_sampler) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.manual_seed(ord(name))  # the caller's stream must not matter
        train(tiny_config, make_sampler(), tmp_path / name, 3, seed=seed)
    assert_same_run(tmp_path / "a", tmp_path / "b")
    assert numbers(tmp_path / "a") != numbers(tmp_path / "c")


@pytest.fixture
def noisy_config(tiny_config) -> VideoGANConfig:
    """The tiny TGAN with instance noise."""
    discriminator = tiny_config.discriminators["video"]
    noisy = replace(discriminator, options=discriminator.options | {"noise": 0.1})
    return replace(tiny_config, discriminators={"video": noisy})


class Draws:
    """As if somebody drew from torch's global stream in another thread, at any time."""

    every = 1

    def __init__(self) -> None:
        self.drawn = []

    def __call__(self, trainer: Trainer) -> None:
        self.drawn.append(torch.rand(()))


def test_the_global_random_stream_and_the_runs_leave_each_other_alone(tmp_path, noisy_config, make_sampler) -> None:
    def watched(directory: Path, *others) -> None:
        callbacks = [SampleGrid(every=2, num_videos=2), SpectrumProbe(every=2, k=1), *others]
        train(noisy_config, make_sampler(), directory, 4, callbacks=callbacks)

    watched(tmp_path / "alone")
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    draws = Draws()
    watched(tmp_path / "drawn", draws)
    assert torch.equal(torch.stack(draws.drawn), expected)
    assert_same_run(tmp_path / "alone", tmp_path / "drawn")


def test_nothing_seeds_the_global_stream_not_even_for_a_moment(
    tmp_path, noisy_config, make_sampler, monkeypatch
) -> None:
    """It could be that moment in which another thread draws."""
    callbacks = [SampleGrid(every=2, num_videos=2), SpectrumProbe(every=2, k=1)]
    trainer = train(noisy_config, make_sampler(), tmp_path / "run", 0, callbacks=callbacks)
    for name in ("manual_seed", "set_rng_state", "fork_rng"):
        for module in (torch, torch.random):
            monkeypatch.setattr(module, name, lambda *_, **__: 1 / 0, raising=False)
    trainer.run(2)


def test_a_checkpoint_with_a_state_of_the_global_stream_still_loads(tmp_path, tiny_config, make_sampler) -> None:
    """As written before the run's noise had a stream of its own; without noise the run continues as it would have."""
    train(tiny_config, make_sampler(), tmp_path / "whole", 6)
    train(tiny_config, make_sampler(), tmp_path / "old", 3)
    path = Run.open(tmp_path / "old").checkpoints[-1] / "state.pt"
    torch.save(torch.load(path) | {"global_random": torch.get_rng_state()}, path)
    path.with_name("SHA256SUMS").unlink()  # which there was not either
    train(tiny_config, make_sampler(), tmp_path / "old", 6, resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "old")


def test_a_run_that_goes_on_in_another_thread_is_not_started_twice(tmp_path, tiny_config, make_sampler) -> None:
    errors = []

    class Again:
        every = 1

        def __call__(self, trainer: Trainer) -> None:
            assert trainer.running
            with pytest.raises(RuntimeError, match=r"run is already going on.*stop that first") as caught:
                trainer.run(5)
            errors.append(caught)

    trainer = train(tiny_config, make_sampler(), tmp_path / "run", 2, callbacks=[Again()])
    assert len(errors) == 2
    assert not trainer.running


def test_one_backward_pass_equals_two(tmp_path, tiny_config, make_sampler) -> None:
    """A zero-sum step against the same losses differentiated one after the other."""
    trainer = Trainer(tiny_config.build(seed=1), make_sampler(), tmp_path / "run", device="cpu", progress=False)
    generator, discriminator = tiny_config.build(seed=1).train().children()
    discriminator = discriminator["video"]
    real = make_sampler().next_batch().videos
    latents = generator.sample_latents(4, generator=torch.Generator().manual_seed(0))
    scores = discriminator(generator(latents))
    (-scores.mean()).backward(retain_graph=True)
    expected_generator = [p.grad.clone() for p in generator.parameters() if p.grad is not None]
    discriminator.zero_grad()
    (scores.mean() - discriminator(real).mean()).backward()
    expected_discriminator = [p.grad for p in discriminator.parameters()]

    trainer._train_step()
    got = [p.grad for p in trainer.gan.generator.parameters() if p.grad is not None]
    torch.testing.assert_close(got, expected_generator, rtol=1e-4, atol=1e-7)
    got = [p.grad for p in trainer.gan.discriminators["video"].parameters()]
    torch.testing.assert_close(got, expected_discriminator, rtol=1e-4, atol=1e-7)


def test_a_step_of_a_game_that_is_not_zero_sum_equals_autograd(tmp_path, tiny_config, make_sampler) -> None:
    config = tiny_config.with_recipe(loss="non-saturating")
    trainer = Trainer(config.build(seed=1), make_sampler(), tmp_path / "run", device="cpu", progress=False)
    generator, discriminator = config.build(seed=1).train().children()
    latents = generator.sample_latents(4, generator=torch.Generator().manual_seed(0))
    trainer.objective.loss.generator(discriminator["video"](generator(latents))).backward()
    trainer._train_step()
    got = [p.grad for p in trainer.gan.generator.parameters() if p.grad is not None]
    expected = [p.grad for p in generator.parameters() if p.grad is not None]
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-7)


def test_singular_values_are_clipped_when_the_recipe_says(tmp_path, tiny_config, make_sampler) -> None:
    config = tiny_config.with_recipe(svc_every=3, discriminator_rate=0.5)
    trainer = train(config, make_sampler(), tmp_path / "run", 2)
    weight = trainer.gan.discriminators["video"].layers[0][0].weight
    assert torch.linalg.matrix_norm(weight.flatten(1), 2) > 1.1
    trainer.run(3)
    assert torch.linalg.matrix_norm(weight.flatten(1), 2) <= 1 + 1e-5


def test_the_average_follows_the_weights(tmp_path, tiny_config, make_sampler) -> None:
    trainer = train(tiny_config, make_sampler(), tmp_path / "run", 1)
    name = "image.layers.0.weight"
    average = trainer.gan.generator.get_parameter(name).detach().clone()
    for step in range(2, 6):
        trainer.run(step)
        average = 0.9 * average + 0.1 * trainer.gan.generator.get_parameter(name).detach()
    torch.testing.assert_close(Run.open(tmp_path / "run").generator().get_parameter(name), average)
    raw = Run.open(tmp_path / "run").generator(averaged=False).get_parameter(name)
    assert torch.equal(raw, trainer.gan.generator.get_parameter(name))


def test_the_average_is_calibrated_once_for_all_that_a_step_asks_of_it(
    tmp_path, tiny_config, make_sampler, monkeypatch
) -> None:
    calibrated = []

    def count(generator):
        calibrated.append(generator)
        return calibrate_(generator)

    monkeypatch.setattr(players, "calibrate_", count)
    grid = SampleGrid(every=2, num_videos=2)
    trainer = train(tiny_config, make_sampler(), tmp_path / "run", 4, callbacks=[grid], checkpoint_every=2)
    assert len(calibrated) == 2, "at step 2 and at step 4, for the grid and for the checkpoint"
    kept = Run.open(tmp_path / "run").generator()
    anew = calibrate_(copy.deepcopy(kept))
    assert all(torch.equal(buffer, anew.get_buffer(name)) for name, buffer in kept.named_buffers())
    trainer.run(5)
    assert len(calibrated) == 3


def test_a_diverging_run_stops_and_keeps_its_last_good_checkpoint(tmp_path, tiny_config, make_sampler) -> None:
    trainer = train(tiny_config, make_sampler(), tmp_path / "run", 4)
    good = weights(tmp_path / "run")
    trainer.gan.generator.image.layers[0].weight.data.fill_(torch.nan)
    with pytest.raises(TrainingDiverged, match=r"step 5: .*loss = nan.*step_0000004.*learning rate"):
        trainer.run(8)
    assert all(tensor.isfinite().all() for tensor in good.values())
    assert Run.open(tmp_path / "run").checkpoints[-1].name == "step_0000004"


def test_a_weight_that_is_not_finite_is_never_saved(tmp_path, tiny_config, make_sampler) -> None:
    trainer = train(tiny_config, make_sampler(), tmp_path / "run", 2)
    trainer.step = 3
    trainer.gan.discriminators["video"].head.weight.data[0, 0] = torch.inf
    with pytest.raises(TrainingDiverged, match=r"discriminators\.video\.head\.weight"):
        trainer.save_checkpoint()


def test_old_checkpoints_go(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "two", 10, checkpoint_every=2)
    train(tiny_config, make_sampler(), tmp_path / "all", 10, checkpoint_every=2, keep_checkpoints=None)
    names = [[path.name for path in Run.open(tmp_path / run).checkpoints] for run in ("two", "all")]
    assert names[0] == ["step_0000008", "step_0000010"]
    assert len(names[1]) == 5


def test_sample_grids_come_from_the_same_latents_and_change_nothing(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "plain", 6)
    train(tiny_config, make_sampler(), tmp_path / "seen", 6, callbacks=[SampleGrid(every=2, num_videos=4)])
    assert_same_run(tmp_path / "plain", tmp_path / "seen")
    assert [path.name for path in Run.open(tmp_path / "seen").sample_files] == [
        f"step_{step:07d}.gif" for step in (2, 4, 6)
    ]


def test_stop_from_another_thread(tmp_path, tiny_config, make_sampler) -> None:
    trainer = Trainer(tiny_config.build(), make_sampler(), tmp_path / "run", device="cpu", callbacks=[], progress=False)
    threading.Timer(0.3, trainer.stop).start()
    trainer.run(10**9)
    assert trainer.interrupted
    assert Run.open(tmp_path / "run").checkpoints[-1].name == f"step_{trainer.step:07d}"


def test_ctrl_c_saves_and_returns(tmp_path, tiny_config, make_sampler, caplog) -> None:
    trainer = Trainer(tiny_config.build(), make_sampler(), tmp_path / "run", device="cpu", callbacks=[], progress=False)
    before = signal.getsignal(signal.SIGINT)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    trainer.run(10**9)
    assert trainer.interrupted
    assert "resume" in caplog.text
    assert Run.open(tmp_path / "run").checkpoints[-1].name == f"step_{trainer.step:07d}"
    assert signal.getsignal(signal.SIGINT) is before


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import tiny
from ldvd_lib.training import Trainer
trainer = Trainer(tiny.plain().build(seed=1), tiny.sampler(), sys.argv[1], device="cpu", callbacks=[], progress=False,
                  log_every=1, checkpoint_every=7, resume=True)
trainer.run(int(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_run_continues_bit_for_bit(tmp_path) -> None:
    command = [sys.executable, "-c", SCRIPT.format(tests=str(Path(__file__).parents[1]))]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen([*command, str(killed), "100000"])
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if (killed / "metrics.jsonl").is_file() and len(numbers(killed)) >= 40:
                break
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    last = int(Run.open(killed).checkpoints[-1].name.removeprefix("step_"))
    assert last % 7 == 0
    assert last >= 35
    target = str(last + 20)
    for run in (killed, whole):
        subprocess.run([*command, str(run), target], check=True)
    assert_same_run(killed, whole)


def test_an_occupied_directory_is_not_overwritten(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "run", 2)
    with pytest.raises(ValueError, match=r"already holds a run.*resume"):
        train(tiny_config, make_sampler(), tmp_path / "run", 2)
    other = replace(tiny_config, recipe=replace(tiny_config.recipe, svc_every=0))
    with pytest.raises(ValueError, match="svc_every: 5 there, 0 now"):
        train(other, make_sampler(), tmp_path / "run", 2, resume=True)


def contents(directory: Path) -> dict[Path, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(directory): path.read_bytes() for path in files}


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (["config.json"], r"holds checkpoints/step_0000002, metrics\.jsonl, and no config\.json"),
        (["config.json", "checkpoints"], r"holds metrics\.jsonl, and no config\.json"),
        (["config.json", "metrics.jsonl"], r"holds checkpoints/step_0000002, and no config\.json"),
    ],
)
def test_what_is_left_of_a_run_is_refused_and_nothing_of_it_is_lost(
    tmp_path, tiny_config, make_sampler, lost: list[str], message: str, resume: bool
) -> None:
    train(tiny_config, make_sampler(), run := tmp_path / "run", 2)
    for name in lost:
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    before = contents(run)
    with pytest.raises(ValueError, match=rf"{message}.* put back what is missing, or choose another directory"):
        train(tiny_config, make_sampler(), run, 3, resume=resume)
    assert contents(run) == before


@pytest.mark.parametrize("content", ["", "{}", '{"architectures": ["GPT2"]}'])
def test_a_configuration_that_is_damaged_or_not_ours_is_named_and_nothing_is_lost(
    tmp_path, tiny_config, make_sampler, content: str
) -> None:
    train(tiny_config, make_sampler(), run := tmp_path / "run", 2)
    (run / "config.json").write_text(content)
    before = contents(run)
    for resume in (False, True):
        with pytest.raises(ValueError, match=r"config\.json"):
            train(tiny_config, make_sampler(), run, 3, resume=resume)
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(ValueError, match=r"config\.json"):
        train(tiny_config, make_sampler(), run, 3)
    assert contents(run) == {path: data for path, data in before.items() if path.parts[0] != "checkpoints"}


def test_only_what_has_the_name_that_we_give_is_ours(tmp_path, tiny_config, make_sampler) -> None:
    """A copy of a checkpoint or of a sample grid beside ours is neither deleted nor read."""
    options = {"checkpoint_every": 2, "keep_checkpoints": 1, "callbacks": [SampleGrid(2, num_videos=2)]}
    run = tmp_path / "run"
    train(tiny_config, make_sampler(), run, 2, **options)
    checkpoints, samples = run / "checkpoints", run / "samples"
    for name in ("step_0000002-best", "step_0000001 (copy)", "step_00000001", "step_9", "best"):
        shutil.copytree(checkpoints / "step_0000002", checkpoints / name)
    (checkpoints / "step_0000001").write_text("a file")
    for name in ("step_0000002 (1).gif", "step_0000099.png", "best.gif", ".step_0000002-mine.gif"):
        (samples / name).write_text("mine")
    before = {path: data for path, data in contents(run).items() if path.parts[0] in ("checkpoints", "samples")}
    train(tiny_config, make_sampler(), run, 6, resume=True, **options)
    assert [path.name for path in Run.open(run).checkpoints] == ["step_0000006"]
    assert [path.name for path in Run.open(run).sample_files] == [f"step_{step:07d}.gif" for step in (2, 4, 6)]
    after = contents(run)
    pruned = {path for path in before if path.parts[:2] == ("checkpoints", "step_0000002")}
    assert all(after.get(path) == data for path, data in before.items() if path not in pruned)
    assert not pruned & after.keys()


def test_a_run_whose_checkpoints_were_all_renamed_is_not_begun_anew(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), run := tmp_path / "run", 2)
    (run / "checkpoints" / "step_0000002").rename(run / "checkpoints" / "step_0000002-best")
    before = contents(run)
    with pytest.raises(ValueError, match="holds checkpoints/step_0000002-best, and no checkpoint of the name"):
        train(tiny_config, make_sampler(), run, 4)
    assert contents(run) == before


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path, tiny_config, make_sampler) -> None:
    callbacks = [SampleGrid(2, num_videos=2)]
    train(tiny_config, make_sampler(), run := tmp_path / "run", 1, callbacks=callbacks)
    ours = (".config-0123abcd.json", ".metrics-0123abcd.jsonl", "samples/.step_0000002-0123abcd.gif")
    ours = (*ours, "..training-0123abcd.json", "checkpoints/.step_0000009.tmp/state.pt")
    theirs = (
        ".config-mine.json",
        ".notes-0123abcd.json",
        "checkpoints/.step_9.tmp/state.pt",
        "samples/.x-0123abcd.gif",
    )
    for name in (*ours, *theirs):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("")
    train(tiny_config, make_sampler(), run, 2, resume=True, callbacks=callbacks)
    assert [name for name in (*ours, *theirs) if (run / name).exists()] == list(theirs)


@pytest.mark.parametrize("what", ["weights", "log", "samples"])
def test_a_full_disk_is_named_and_the_run_goes_on_from_the_last_checkpoint(
    tmp_path, tiny_config, make_sampler, full_disk, what: str
) -> None:
    callbacks = [SampleGrid(4)] if what == "samples" else []
    options = {"checkpoint_every": 2, "callbacks": callbacks, "resume": True}
    for name, steps in (("whole", 6), ("run", 2)):
        train(tiny_config, make_sampler(), tmp_path / name, steps, **options)
    run, log = tmp_path / "run", (tmp_path / "run" / "metrics.jsonl").stat().st_size
    size, file = {
        "weights": (5_000, "checkpoints/step_0000004"),
        "log": (log + 100, "metrics.jsonl"),
        "samples": (4_000, "samples/step_0000004.gif"),
    }[what]
    options |= {"device": "cpu", "progress": False, "log_every": 1}
    trainer = Trainer(tiny_config.build(seed=1), make_sampler(), run, **options)
    with full_disk(size), pytest.raises(OSError, match=rf"File too large: free some space.*{file}'"):
        trainer.run(6)
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["step_0000002"]
    assert not list(run.rglob(".*-????????.*"))
    if what == "log":  # goes on in the same process, too
        trainer.run(6)
        assert [record["step"] for record in numbers(run)] == [1, 2, 4, 5, 6]
        shutil.rmtree(run)
        train(tiny_config, make_sampler(), run, 2, **options)
    train(tiny_config, make_sampler(), run, 6, **options)
    assert_same_run(tmp_path / "whole", run)


def test_a_sampler_of_another_size_is_refused(tmp_path, tiny_config, tiny_store) -> None:
    from ldvd_lib.data import WindowSampler

    sampler = WindowSampler(tiny_store, batch_size=4, num_frames=8)
    with pytest.raises(ValueError, match=r"num_frames': 8.*num_frames': 4"):
        Trainer(tiny_config.build(), sampler, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_bfloat16_trains(tmp_path, tiny_config, make_sampler) -> None:
    config = tiny_config.with_recipe(precision="bfloat16")
    train(config, make_sampler(), tmp_path / "run", 3)
    assert all(tensor.dtype in (torch.float32, torch.int64) for tensor in weights(tmp_path / "run").values())


@pytest.mark.slow
def test_compiled_networks_train_and_save_under_the_same_names(tmp_path, tiny_config, make_sampler) -> None:
    train(tiny_config, make_sampler(), tmp_path / "plain", 1)
    train(tiny_config.with_recipe(compile=True), make_sampler(), tmp_path / "compiled", 1)
    assert weights(tmp_path / "plain").keys() == weights(tmp_path / "compiled").keys()
    # Losses, not weights: RMSprop's first step divides a gradient by itself, so that rounding decides small ones.
    for name, value in numbers(tmp_path / "plain")[0].items():
        assert numbers(tmp_path / "compiled")[0][name] == pytest.approx(value, rel=1e-4)


def test_two_trainings_in_one_directory_are_refused_before_anything_is_lost(
    tmp_path, tiny_config, make_sampler
) -> None:
    """The second is told who is there, and the first goes on and ends as if it had been alone."""
    told = []

    class Intruder:
        every = 2

        def __call__(self, trainer: Trainer) -> None:
            with pytest.raises(BlockingIOError, match="is being trained already, by this process") as error:
                Trainer(tiny_config.build(seed=9), make_sampler(), tmp_path / "run", seed=9, device="cpu")
            told.append(error)

    train(tiny_config, make_sampler(), tmp_path / "run", 4, callbacks=[Intruder()])
    train(tiny_config, make_sampler(), tmp_path / "alone", 4)
    assert len(told) == 2
    assert_same_run(tmp_path / "run", tmp_path / "alone")
    assert Run.open(tmp_path / "run").config.seed == 0


def test_a_run_that_is_resumed_twice_at_once_goes_on_once(tmp_path, tiny_config, make_sampler) -> None:
    refused = []

    class Second:
        every = 1

        def __call__(self, trainer: Trainer) -> None:
            with pytest.raises(BlockingIOError, match="is being trained already, by this process"):
                Trainer(tiny_config.build(seed=1), make_sampler(), tmp_path / "run", device="cpu", resume=True)
            refused.append(trainer.step)

    train(tiny_config, make_sampler(), tmp_path / "run", 2)
    train(tiny_config, make_sampler(), tmp_path / "run", 4, resume=True, callbacks=[Second()])
    train(tiny_config, make_sampler(), tmp_path / "whole", 4)
    assert refused == [3, 4]
    assert_same_run(tmp_path / "run", tmp_path / "whole")


def test_what_another_training_has_made_of_the_directory_is_noticed(tmp_path, tiny_config, make_sampler) -> None:
    options = {"device": "cpu", "callbacks": [], "progress": False}
    first = Trainer(tiny_config.build(seed=1), make_sampler(), tmp_path / "run", **options)
    other = Trainer(tiny_config.build(seed=1), make_sampler(), tmp_path / "run", seed=5, **options)
    with pytest.raises(ValueError, match=r"is of another run \(seed: 5 there, 0 now\)"):
        first.run(2)
    same = Trainer(tiny_config.build(seed=1), make_sampler(), tmp_path / "run", seed=5, **options)
    other.run(2)
    with pytest.raises(RuntimeError, match="has been trained further since, to step_0000002"):
        same.run(2)


def test_a_checkpoint_under_the_name_of_another_step_is_damaged(tmp_path, tiny_config, make_sampler, caplog) -> None:
    train(tiny_config, make_sampler(), tmp_path / "whole", 4)
    train(tiny_config, make_sampler(), run := tmp_path / "run", 2)
    shutil.copytree(run / "checkpoints" / "step_0000002", run / "checkpoints" / "step_0000003")
    train(tiny_config, make_sampler(), run, 4, resume=True)
    assert "it is now damaged-step_0000003, and the run goes on from step_0000002" in caplog.text
    assert_same_run(tmp_path / "whole", run)


def flipped(content: bytes) -> bytes:
    """With one bit changed, in the values, where no format notices it."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: content[: len(content) // 2], flipped])
@pytest.mark.parametrize("name", ["state.pt", "weights.safetensors"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_taken(
    tmp_path, tiny_config, make_sampler, caplog, name: str, damage: Callable[[bytes], bytes]
) -> None:
    train(tiny_config, make_sampler(), tmp_path / "whole", 8)
    train(tiny_config, make_sampler(), tmp_path / "run", 6, checkpoint_every=3)
    older, newest = Run.open(tmp_path / "run").checkpoints
    (newest / name).write_bytes(damage((newest / name).read_bytes()))
    trainer = train(tiny_config, make_sampler(), tmp_path / "run", 8, resume=True)
    assert trainer.step == 8
    assert f"{newest / name} cannot be read" in caplog.text
    assert f"it is now damaged-{newest.name}, and the run goes on from {older.name}" in caplog.text
    assert (newest.with_name(f"damaged-{newest.name}") / name).exists()
    assert_same_run(tmp_path / "whole", tmp_path / "run")


def test_without_a_whole_checkpoint_all_damage_is_named_and_nothing_touched(
    tmp_path, tiny_config, make_sampler
) -> None:
    train(tiny_config, make_sampler(), tmp_path / "run", 6, checkpoint_every=3)
    checkpoints = Run.open(tmp_path / "run").checkpoints
    (checkpoints[0] / "state.pt").write_bytes(b"")
    (checkpoints[1] / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match=r"no checkpoint in .*weights\.safetensors.*state\.pt cannot be read"):
        train(tiny_config, make_sampler(), tmp_path / "run", 8, resume=True)
    assert Run.open(tmp_path / "run").checkpoints == checkpoints
    assert [record["step"] for record in numbers(tmp_path / "run")] == [1, 2, 3, 4, 5, 6]


def test_everything_is_on_the_disk_before_a_checkpoint_counts(tmp_path, tiny_config, make_sampler, monkeypatch) -> None:
    """Of the files and of the log, before the checkpoint has its name; and the name itself."""
    events: list[tuple[str, str]] = []
    fsync, rename = os.fsync, Path.rename
    opened = {}
    real_open = os.open

    def watched_open(path, *arguments, **options) -> int:
        handle = real_open(path, *arguments, **options)
        opened[handle] = Path(os.fsdecode(path)).name if isinstance(path, str | bytes | os.PathLike) else ""
        return handle

    monkeypatch.setattr(os, "open", watched_open)
    monkeypatch.setattr(os, "fsync", lambda handle: (events.append(("disk", opened.get(handle, ""))), fsync(handle)))
    monkeypatch.setattr(Path, "rename", lambda self, to: (events.append(("name", Path(to).name)), rename(self, to))[1])
    train(tiny_config, make_sampler(), tmp_path / "run", 2)
    place = events.index(("name", "step_0000002"))
    before = {name for kind, name in events[:place] if kind == "disk"}
    assert {"metrics.jsonl", "state.pt", "SHA256SUMS", ".step_0000002.tmp"} <= before
    assert any(name.endswith(".safetensors") for name in before)
    assert ("disk", "checkpoints") in events[place:]


def test_a_second_ctrl_c_says_what_is_kept(tmp_path, tiny_config, make_sampler, caplog) -> None:
    class Impatient:
        every = 1

        def __call__(self, trainer: Trainer) -> None:
            if trainer.step == 5:
                for _ in range(2):
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        train(tiny_config, make_sampler(), tmp_path / "run", 9, callbacks=[Impatient()], checkpoint_every=3)
    assert "ended at once, in or after step 5: kept is step_0000003" in caplog.text
    assert "the steps since are lost" in caplog.text
    caplog.clear()
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config, make_sampler(), tmp_path / "other", 9, callbacks=[Impatient()])
    assert "there is no checkpoint yet, so nothing is kept" in caplog.text
    train(tiny_config, make_sampler(), tmp_path / "run", 9, resume=True)  # the directory is free again


def test_a_probe_refuses_compiled_networks_before_anything_is_written(tmp_path, tiny_config, make_sampler) -> None:
    with pytest.raises(ValueError, match="SpectrumProbe needs second derivatives, which compiled networks do not have"):
        train(tiny_config.with_recipe(compile=True), make_sampler(), tmp_path / "run", 1, callbacks=[SpectrumProbe()])
    assert not (tmp_path / "run").exists()


def test_what_has_been_compiled_is_not_measured(tmp_path, tiny_config, make_sampler) -> None:
    gan = tiny_config.with_recipe(compile=True).build()
    Trainer(gan, make_sampler(), tmp_path / "run", device="cpu", callbacks=[], progress=False)
    with pytest.raises(ValueError, match="the discriminator is compiled"):
        SpectrumProbe().measure(gan, "video", make_sampler().peek().video)


GOLDEN = {
    "tgan": {"generator_loss": 0.28982693, "video_loss": -0.79333997},
    "mocogan": {"generator_loss": 2.07872486, "image_loss": 1.41062868, "video_loss": 2.07287979},
}


@pytest.mark.parametrize("name", GOLDEN)
def test_losses_are_what_they_have_always_been(tmp_path, configs, make_sampler, name: str) -> None:
    """After five steps; numbers from a commit whose whole training was compared bit for bit with the one before."""
    train(configs[name], make_sampler(), tmp_path / "run", 5)
    last = numbers(tmp_path / "run")[-1]
    assert {key: last[key] for key in GOLDEN[name]} == pytest.approx(GOLDEN[name], rel=1e-4)
