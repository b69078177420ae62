"""The Python side of the training monitor; its other side is driven in tests/browser/test_training_monitor.py."""

import base64
import gc
import io
import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import NetworkConfig, VideoGANConfig
from ldvd_lib.recipe import Recipe
from ldvd_lib.runs import Run
from ldvd_lib.runs.checkpoint import load_weights
from ldvd_lib.training import SampleGrid, SpectrumProbe, Trainer
from ldvd_lib.widgets import TrainingMonitor

PATIENCE = 30  # seconds


def tiny_trainer(directory: Path, **options) -> Trainer:
    """A trainer of a TGAN of 8 px and 4 frames on noise, with instance noise: about a hundred steps a second."""
    generator = {"image_size": 8, "num_frames": 4, "latent_dim": 6, "temporal_channels": (8, 8), "image_channels": 8}
    stack = {"kinds": ("3d",), "image_size": 8, "num_frames": 4, "base_channels": 4, "init": "xavier", "noise": 0.1}
    config = VideoGANConfig(
        "tiny",
        "lite",
        NetworkConfig("tgan", {**generator, "image_init": "xavier", "temporal_init": "xavier"}),
        {"video": NetworkConfig("stack", stack)},
        Recipe(generator_rate=1e-3, discriminator_rate=1e-3, batch_size=4, average=0.9),
    )
    store = ClipStore(
        frames=np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype=np.uint8),
        offsets=np.arange(6) * 10,
        lengths=np.full(6, 10),
        labels=np.arange(6) % 2,
        fps=np.full(6, 25.0),
        names=[f"v_Noise_g01_c{number:02}" for number in range(6)],
        class_names=["Noise", "Other"],
        parameters={"image_size": 8},
        skipped=[],
        directory=None,
    )
    options = {"device": "cpu", "callbacks": [], "progress": False, "log_every": 2, "resume": True, **options}
    return Trainer(config.build(seed=1), WindowSampler(store, batch_size=4, num_frames=4), directory, **options)


class Gate:
    """Holds the run after a step until the gate is opened."""

    every = 1

    def __init__(self, step: int) -> None:
        self.step, self.reached, self.open = step, threading.Event(), threading.Event()

    def __call__(self, trainer: Trainer) -> None:
        if trainer.step == self.step:
            self.reached.set()
            assert self.open.wait(PATIENCE)


@pytest.fixture
def gate() -> Gate:
    """A gate at step 3, which is open at the end in any case."""
    gate = Gate(3)
    yield gate
    gate.open.set()


@pytest.fixture(autouse=True)
def no_thread_stays() -> None:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("training "):
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def monitor(tmp_path, gate) -> TrainingMonitor:
    return TrainingMonitor(tiny_trainer(tmp_path / "run", callbacks=[gate]), 6)


def messages(monitor: TrainingMonitor, monkeypatch) -> list[dict]:
    """What is sent to the browser from now on."""
    sent: list[dict] = []
    monkeypatch.setattr(monitor.comm, "send", lambda data, **options: sent.append(json.loads(json.dumps(data))))
    return sent


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_weights(Run.open(run).checkpoints[-1] / "weights.safetensors")


def logged(run: Path) -> list[dict]:
    """What was logged, without the clock."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


# States


def test_nothing_trains_before_one_asks_for_it(tmp_path):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 4)
    assert (monitor.state, monitor.step, monitor.steps, monitor.run) == ("ready", 0, 4, None)
    assert monitor.status.startswith("Not started.")
    assert monitor.wait() == "ready"
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
    monitor.pause()
    monitor.stop()
    assert monitor.state == "ready", "there is nothing to pause or stop"


def test_a_run_from_start_to_finish(tmp_path):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 4)
    states = []
    monitor.observe(lambda change: states.append(change["new"]), "state")
    monitor.start()
    assert monitor.wait(PATIENCE) == "finished"
    assert states == ["running", "finished"]
    assert (monitor.step, monitor.eta) == (4, None)
    assert monitor.seconds > 0
    assert monitor.run.newest_step == 4
    assert monitor.status == f"Finished: step 4 of 4. Saved in {tmp_path / 'run' / 'checkpoints' / 'step_0000004'}."


def test_autostart_starts_unless_there_is_nothing_left(tmp_path):
    assert TrainingMonitor(tiny_trainer(tmp_path / "run"), 2, autostart=True).wait(PATIENCE) == "finished"
    second_monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 2, autostart=True)
    assert (second_monitor.state, second_monitor._thread) == ("finished", None)


def test_the_kernels_thread_is_free_meanwhile_and_pausing_waits_for_the_step(monitor, gate):
    monitor.start()
    assert gate.reached.wait(PATIENCE)
    assert monitor.state == "running"
    monitor.start()  # once more changes nothing
    monitor.pause()
    assert (monitor.state, monitor.status) == ("stopping", "Pausing after this step …")
    with pytest.raises(RuntimeError, match="just about to stop: wait until it has"):
        monitor.start()
    with pytest.raises(traitlets.TraitError, match="pause it first"):
        monitor.steps = 9
    gate.open.set()
    assert monitor.wait(PATIENCE) == "paused"
    assert (monitor.step, monitor.run.newest_step) == (3, 3)
    assert "Paused at step 3 of 6. Saved in " in monitor.status
    monitor.start()
    assert monitor.wait(PATIENCE) == "finished"
    assert monitor.step == 6


def test_a_wish_that_comes_before_the_first_step_is_heeded_after_it(tmp_path):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 10**9)
    monitor.start()
    monitor.pause()
    assert monitor.wait(PATIENCE) == "paused"
    assert monitor.step >= 1


def test_a_stopped_run_can_go_on_and_a_finished_one_with_more_steps(monitor, gate):
    monitor.start()
    assert gate.reached.wait(PATIENCE)
    monitor.stop()
    gate.open.set()
    assert monitor.wait(PATIENCE) == "finished"
    assert monitor.status.startswith("Stopped at step 3 of 6. Saved in ")
    monitor.start()
    assert monitor.wait(PATIENCE) == "finished"
    with pytest.raises(RuntimeError, match="all 6 steps are done: raise `steps`"):
        monitor.start()
    monitor.steps = 8
    assert (monitor.state, monitor.error) == ("paused", None)
    monitor.start()
    assert monitor.wait(PATIENCE) == "finished"
    assert monitor.run.newest_step == 8


def test_a_paused_run_can_be_stopped(monitor, gate):
    monitor.start()
    gate.reached.wait(PATIENCE)
    monitor.pause()
    gate.open.set()
    monitor.wait(PATIENCE)
    monitor.stop()
    assert monitor.state == "finished"


def test_somebody_elses_stop_is_a_pause(monitor, gate):
    monitor.start()
    gate.reached.wait(PATIENCE)
    monitor.trainer.stop()
    gate.open.set()
    assert monitor.wait(PATIENCE) == "paused"


def test_a_run_from_disk_is_taken_up_where_it_is(tmp_path):
    tiny_trainer(tmp_path / "run").run(4)
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 6)
    assert (monitor.state, monitor.step) == ("paused", 4)
    assert [row[0] for row in monitor._series["losses"]["rows"]] == [2, 4]
    monitor.start()
    assert monitor.wait(PATIENCE) == "finished"
    assert [row[0] for row in monitor._series["losses"]["rows"]] == [2, 4, 6]


# The run


def test_a_paused_run_equals_an_uninterrupted_one_bit_for_bit_whatever_others_draw(tmp_path):
    tiny_trainer(tmp_path / "whole", callbacks=[SpectrumProbe(every=5, k=2)]).run(30)
    gates = [Gate(7), Gate(16)]
    trainer = tiny_trainer(tmp_path / "paused", callbacks=[SpectrumProbe(every=5, k=2), *gates])
    monitor = TrainingMonitor(trainer, 30)
    torch.manual_seed(3)
    expected = torch.rand(200)
    torch.manual_seed(3)
    drawn = []
    for gate in gates:
        monitor.start()
        while not gate.reached.is_set():
            if len(drawn) < 199:
                drawn.append(torch.rand(()))  # a learner's cell draws while the run goes on
                trainer.sampler.peek(2, seed=len(drawn))
            time.sleep(0.001)
        monitor.pause()
        gate.open.set()
        assert monitor.wait(PATIENCE) == "paused"
        assert monitor.run.newest_step == gate.step
    monitor.start()
    assert monitor.wait(PATIENCE) == "finished"
    drawn.append(torch.rand(()))
    assert torch.equal(torch.stack(drawn), expected[: len(drawn)]), "and the learner's numbers are those of the seed"
    whole, paused = weights(tmp_path / "whole"), weights(tmp_path / "paused")
    assert whole.keys() == paused.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, paused[name]), name
    assert logged(tmp_path / "whole") == logged(tmp_path / "paused")


def test_the_trainer_is_afterwards_what_it_was(monitor, gate):
    trainer = monitor.trainer
    trainer.progress = True
    callbacks = list(trainer.callbacks)
    gate.open.set()
    monitor.start()
    monitor.wait(PATIENCE)
    assert trainer.callbacks == callbacks
    assert trainer.progress
    assert not trainer.running


def test_nothing_is_printed_while_all_goes_well(monitor, gate, capfd, caplog):
    monitor.trainer.progress = True
    caplog.set_level(logging.WARNING)
    monitor.start()
    gate.reached.wait(PATIENCE)
    monitor.pause()
    gate.open.set()
    monitor.wait(PATIENCE)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_two_monitors_of_a_trainer_take_turns(tmp_path, gate):
    trainer = tiny_trainer(tmp_path / "run", callbacks=[gate])
    first, second = TrainingMonitor(trainer, 6), TrainingMonitor(trainer, 8)
    first.start()
    gate.reached.wait(PATIENCE)
    with pytest.raises(RuntimeError, match="running already, in a cell or under another monitor"):
        second.start()
    assert second.state == "ready"
    second.set_state({})
    second._on_message(second, {"type": "start"}, [])
    assert second._failed
    assert "running already" in second.status
    gate.open.set()
    first.wait(PATIENCE)
    second.start()
    assert second.wait(PATIENCE) == "finished"
    assert [row[0] for row in second._series["losses"]["rows"]] == [2, 4, 6, 8]
    assert not second._failed


def test_a_run_that_diverges_says_so_and_keeps_what_there_is(tmp_path, capfd):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 4)
    monitor.start()
    monitor.wait(PATIENCE)
    monitor.trainer.gan.generator.image.layers[0].weight.data.fill_(torch.nan)
    monitor.steps = 8
    monitor.start()
    assert monitor.wait(PATIENCE) == "failed"
    assert monitor._failed
    assert monitor.status.startswith("Failed: training diverged at step 5: not every loss is finite")
    assert "the last good checkpoint is step_0000004 in " in monitor.status
    assert type(monitor.error).__name__ == "TrainingDiverged"
    assert [row[0] for row in monitor._series["losses"]["rows"]] == [2, 4]
    assert monitor.run.newest_step == 4
    with pytest.raises(RuntimeError, match=r"this run has failed \(TrainingDiverged.*resume=True"):
        monitor.start()
    assert capfd.readouterr() == ("", ""), "a traceback would turn up in whatever cell is running"


def test_whatever_a_callback_raises_is_told(tmp_path):
    class Broken:
        every = 2

        def __call__(self, trainer: Trainer) -> None:
            raise OSError("the disk is full")

    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run", callbacks=[Broken()]), 4)
    monitor.start()
    assert monitor.wait(PATIENCE) == "failed"
    assert monitor.status == "Failed at step 2 of 4. OSError: the disk is full. There is no checkpoint yet."
    assert not monitor.trainer.running


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_whatever_ends_the_thread_ends_the_state_of_running(tmp_path, error: type[BaseException]):
    class Ending:
        every = 2

        def __call__(self, trainer: Trainer) -> None:
            raise error

    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run", callbacks=[Ending()]), 4)
    monitor.start()
    assert monitor.wait(PATIENCE) == "failed"
    assert f"the training was ended by {error.__name__}" in monitor.status


def test_a_copy_of_a_sample_grid_disturbs_nobody(tmp_path):
    trainer = tiny_trainer(tmp_path / "run", callbacks=[SampleGrid(2, num_videos=2)])
    monitor = TrainingMonitor(trainer, 4)
    (tmp_path / "run" / "samples").mkdir()
    for name in ("step_0000002 (1).gif", "step_0000004-best.gif", "step_.gif"):
        (tmp_path / "run" / "samples" / name).write_bytes(b"mine")
    monitor.start()
    assert monitor.wait(PATIENCE) == "finished"
    assert monitor._sampled_step == 4
    assert monitor._samples.startswith(b"GIF")


def test_a_log_that_somebody_damages_stops_no_training_and_is_told(tmp_path):
    class Vandal:
        every = 3

        def __call__(self, trainer: Trainer) -> None:
            if trainer.step == 3:
                with (trainer.directory / "metrics.jsonl").open("a") as log:
                    log.write("nonsense\n")

    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run", callbacks=[Vandal()]), 6)
    monitor.start()
    monitor.wait(PATIENCE)
    assert monitor.trainer.step == 6
    assert monitor.state != "running"
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step_0000006"]


def test_closing_it_stops_the_run_with_a_checkpoint(monitor, gate):
    monitor.start()
    gate.reached.wait(PATIENCE)
    monitor.close()
    gate.open.set()
    assert monitor.wait(PATIENCE) == "finished"
    assert monitor.run.newest_step == 3


def test_a_monitor_that_nobody_holds_any_more_trains_on(tmp_path, gate):
    trainer = tiny_trainer(tmp_path / "run", callbacks=[gate])
    TrainingMonitor(trainer, 6).start()
    gate.reached.wait(PATIENCE)
    gc.collect()
    gate.open.set()
    while trainer.running:
        time.sleep(0.01)
    assert trainer.step == 6


SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_training_monitor import TrainingMonitor, tiny_trainer
monitor = TrainingMonitor(tiny_trainer(Path(sys.argv[1]), checkpoint_every=10**9), 10**9)
monitor.start()
while monitor.step < 5: time.sleep(0.01)
"""


@pytest.mark.slow
def test_a_program_that_ends_leaves_a_checkpoint(tmp_path):
    command = [sys.executable, "-c", SCRIPT.format(tests=str(Path(__file__).parent)), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert Run.open(tmp_path / "run").newest_step >= 5


# What the browser is told


def test_only_what_is_new_is_sent_and_a_page_that_opens_late_gets_all(tmp_path, gate, monkeypatch):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run", callbacks=[gate], log_every=1), 6)
    monkeypatch.setattr("ldvd_lib.widgets.training_monitor._NEWS_SECONDS", 0)
    sent = messages(monitor, monkeypatch)
    gate.open.set()
    monitor.start()
    monitor.wait(PATIENCE)
    news = [message["content"]["series"]["losses"] for message in sent if message["method"] == "custom"]
    assert [(series["first"], len(series["rows"])) for series in news] == [(number, 1) for number in range(6)]
    state = monitor.get_state()["_series"]["losses"]
    assert state["names"] == ["generator loss", "video loss", "video real score", "video fake score"]
    assert state["rows"] == [row for series in news for row in series["rows"]]
    assert [row[1] for row in state["rows"]] == pytest.approx(monitor.run.metrics()["generator_loss"], rel=1e-5)
    complete = [message for message in sent if message["method"] == "update" and "_series" in message["state"]]
    assert len(complete) == 1, "all of it once, at the end"


def test_news_are_rare_however_fast_the_steps(tmp_path, monkeypatch):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run", log_every=1), 40)
    sent = messages(monitor, monkeypatch)
    monitor.start()
    monitor.wait(PATIENCE)
    most = monitor.seconds / 0.5 + 3  # at the start, every half second, at the end
    assert len([message for message in sent if message["method"] == "custom"]) <= most


def test_rate_and_time_left(tmp_path, monkeypatch):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 10)
    clock = iter(range(0, 1000, 2))  # two seconds a step
    monkeypatch.setattr("ldvd_lib.widgets.training_monitor.time.monotonic", lambda: next(clock))
    news = []
    monitor.observe(lambda change: news.append((monitor.step, monitor.rate, change["new"])), "eta")
    monitor.start()
    monitor.wait(PATIENCE)
    _, rates, etas = zip(*news, strict=True)
    assert set(rates) == {0.5}
    assert etas[0] == 16
    assert etas[-1] is None


def test_eigenvalues_and_samples_come_too(tmp_path):
    callbacks = [SpectrumProbe(every=3, k=2), SampleGrid(every=2, num_videos=2)]
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run", callbacks=callbacks), 6)
    assert monitor._every == {"losses": 2, "eigenvalues": 3, "samples": 2}
    monitor.start()
    monitor.wait(PATIENCE)
    series, recorded = monitor._series["eigenvalues"], monitor.run.spectrum()["video"]
    assert series["names"] == ["λ⁺", "λ⁻"]
    assert [row[0] for row in series["rows"]] == [3, 6]
    np.testing.assert_allclose(
        [row[1:] for row in series["rows"]], np.stack([recorded["largest"], recorded["smallest"]], 1), rtol=1e-5
    )
    assert monitor._sampled_step == 6
    assert monitor._samples == monitor.run.sample_files[-1].read_bytes()
    assert TrainingMonitor(tiny_trainer(tmp_path / "bare"), 2)._every == {
        "losses": 2,
        "eigenvalues": None,
        "samples": None,
    }


def test_eigenvalues_of_two_discriminators_stand_in_one_row(tmp_path):
    trainer = tiny_trainer(tmp_path / "run")
    records = [
        {"step": step, "discriminator": name, "largest": largest, "smallest": -1.0}
        for step, name, largest in ((5, "image", 2.0), (5, "video", 4.0), (10, "image", 3.0))
    ]
    lines = [json.dumps(record) + "\n" for record in records]
    (tmp_path / "run" / "spectrum.jsonl").write_text("".join(lines[:2]) + lines[2][:20])  # it is just being written
    monitor = TrainingMonitor(trainer, 2)
    series = monitor._series["eigenvalues"]
    assert series == {"names": ["image λ⁺", "image λ⁻", "video λ⁺", "video λ⁻"], "rows": [[5, 2.0, -1.0, 4.0, -1.0]]}


def test_samples_of_steps_that_were_forgotten_are_not_shown(tmp_path):
    callbacks = [SampleGrid(every=2, num_videos=2)]
    tiny_trainer(tmp_path / "run", callbacks=callbacks).run(4)
    (tmp_path / "run" / "samples" / "step_0000008.gif").write_bytes(b"of a run that was killed at step 9")
    assert TrainingMonitor(tiny_trainer(tmp_path / "run", callbacks=callbacks), 10)._sampled_step == 4


def test_buttons(monitor, gate, monkeypatch):
    sent = messages(monitor, monkeypatch)

    def press(**content) -> None:
        monitor._handle_custom_msg(content, [])
        assert sent[-1]["content"] == {"type": "heard"}

    press(type="steps", steps=5)
    assert monitor.steps == 5
    press(type="start")
    assert gate.reached.wait(PATIENCE)
    press(type="steps", steps=7)
    assert monitor.steps == 5
    assert monitor._failed
    press(type="pause")
    gate.open.set()
    assert monitor.wait(PATIENCE) == "paused"
    press(type="start")
    assert monitor.wait(PATIENCE) == "finished"
    press(type="start")
    assert "raise `steps`" in monitor.status
    press(type="stop")
    press(type="all")
    assert sent[-2]["state"]["_series"]["losses"]["rows"]


@pytest.mark.parametrize("name", ["state", "step", "seconds", "rate", "eta"])
def test_what_only_training_changes_cannot_be_set(monitor, name):
    with pytest.raises(traitlets.TraitError, match="read-only"):
        setattr(monitor, name, getattr(monitor, name))


@pytest.mark.parametrize("steps", [0, 2.5, "3"])
def test_no_whole_number_of_steps_is_refused(tmp_path, steps):
    with pytest.raises(ValueError, match="steps must be a whole number, 1 or more"):
        TrainingMonitor(tiny_trainer(tmp_path / "run"), steps)


def test_what_is_no_trainer_is_refused():
    with pytest.raises(ValueError, match="takes a Trainer, got str"):
        TrainingMonitor("runs/tgan", 4)


# Readers without a kernel


def test_the_output_holds_the_widget_and_a_picture_with_alternative_text(tmp_path):
    monitor = TrainingMonitor(tiny_trainer(tmp_path / "run"), 4)
    before, metadata = monitor._repr_mimebundle_()
    assert before["application/vnd.jupyter.widget-view+json"]["model_id"] == monitor.model_id
    assert before["text/plain"] == "TrainingMonitor('tiny', steps=4)"
    assert metadata["image/png"]["alt"] == "Training of tiny, step 0 of 4, not started."
    monitor.start()
    monitor.wait(PATIENCE)
    after, metadata = monitor._repr_mimebundle_()
    assert after["text/plain"] == before["text/plain"], "the same however far it got when the cell was done"
    alt = metadata["image/png"]["alt"]
    assert alt.startswith("Training of tiny, step 4 of 4, finished. Losses at step 4: generator loss ")
    assert "video loss" in alt
    with Image.open(io.BytesIO(base64.b64decode(after["image/png"]))) as image:
        assert image.width > 600


def test_the_picture_shows_what_was_looked_at_beside_the_losses(tmp_path):
    trainer = tiny_trainer(tmp_path / "run", callbacks=[SampleGrid(2, num_videos=2), SpectrumProbe(2, batch_size=4)])
    trainer.run(4)
    data, metadata = TrainingMonitor(trainer, 8)._repr_mimebundle_()
    alt = metadata["image/png"]["alt"]
    assert "Eigenvalues at step 4: λ⁺ " in alt
    assert alt.endswith("One frame of the samples of step 4.")
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.width > 4 * image.height, "three panels: losses, eigenvalues, samples"
