"""The training monitor, driven in JupyterLab as a learner does."""

from pathlib import Path

import looks
import nbformat
import pytest
from playwright.sync_api import Locator, expect

from ldvd_lib.runs import Run

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

TINY = str(Path(__file__).parents[1] / "widgets")
SETUP = f"""\
import logging, sys, time
sys.path.insert(0, {TINY!r})
from pathlib import Path
from test_training_monitor import TrainingMonitor, tiny_trainer
from ldvd_lib.training import SpectrumProbe
from ldvd_lib.training import SampleGrid

class Slow:
    every, loud_until = 1, 0

    def __call__(self, trainer):
        time.sleep(0.02)  # so that the machine has time for the browser
        if time.monotonic() < Slow.loud_until:
            logging.getLogger("a callback").warning("something of note")

def make(name, steps):
    callbacks = [Slow(), SampleGrid(every=10, num_videos=4), SpectrumProbe(every=10, k=2)]
    return TrainingMonitor(tiny_trainer(Path("runs") / name, callbacks=callbacks), steps)
"""
SHOW = """\
monitor = make("watched", 1_000_000)
monitor"""
STEP = "+document.querySelector('.ldvd-training-monitor').dataset.step"


@pytest.fixture(scope="module")
def notebook(notebooks):
    """A notebook that shows a monitor. The tests share it, and each brings it into the state it needs."""
    notebook = notebooks("monitor.ipynb", [SETUP, SHOW, "", ""])
    notebook.run_all()
    notebook.page.wait_for_selector(".ldvd-training-monitor")
    return notebook


@pytest.fixture
def widget(notebook) -> Locator:
    """The widget, its run paused; afterwards the browser's console must not have complained."""
    yield notebook.page.locator(".ldvd-training-monitor")
    assert notebook.console_errors == []
    notebook.python("monitor.pause(); monitor.wait()")


def press(widget: Locator, name: str) -> None:
    widget.get_by_role("button", name=name, exact=True).click()


def wait_for(widget: Locator, state: str) -> None:
    expect(widget).to_have_attribute("data-state", state)


def wait_for_steps(widget: Locator, more: int = 1) -> None:
    """Until so many more steps have been seen."""
    now = int(widget.get_attribute("data-step"))
    widget.page.wait_for_function(f"() => {STEP} >= {now + more}", timeout=30_000)


def begin(notebook, widget: Locator) -> None:
    """Have it run, with some numbers on show."""
    notebook.python("monitor.start()")
    wait_for(widget, "running")
    widget.page.wait_for_function(f"() => {STEP} >= 25", timeout=60_000)


def test_nothing_trains_before_the_button_is_pressed(notebook, widget):
    wait_for(widget, "ready")
    expect(widget.locator(".ldvd-status")).to_contain_text("Not started.")
    expect(widget).to_contain_text("The first eigenvalues come at step 10.")
    expect(widget.get_by_role("button", name="Stop")).to_be_disabled()
    notebook.screenshot("training-monitor-ready")
    assert notebook.python("print(monitor.trainer.step, monitor.run)") == "0 None"


def test_numbers_move_while_the_kernel_answers_other_cells(notebook, widget):
    press(widget, "Start")
    wait_for(widget, "running")
    wait_for_steps(widget, 5)
    assert notebook.python("print(6 * 7)") == "42"
    wait_for_steps(widget, 5)
    expect(widget.locator(".ldvd-time")).to_contain_text("of training · about")
    notebook.says("monitor.trainer.running", "True")


def test_a_long_cell_does_not_stop_the_numbers_and_a_button_is_heard_after_it_at_the_latest(notebook, widget):
    begin(notebook, widget)
    with notebook.busy_kernel():
        wait_for_steps(widget, 20)
        press(widget, "Pause")
        expect(widget.get_by_role("button", name="Stop")).to_be_disabled()
    wait_for(widget, "paused")
    expect(widget.locator(".ldvd-status")).to_contain_text("Paused at step")
    expect(widget.get_by_role("button", name="Stop")).to_be_enabled()


def test_an_interrupted_cell_does_not_interrupt_the_run(notebook, widget):
    begin(notebook, widget)
    notebook.page.evaluate(
        """async () => {
          const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const cell = kernel.requestExecute({ code: "time.sleep(60)" });
          await new Promise((resolve) => setTimeout(resolve, 500));
          await kernel.interrupt();
          if ((await cell.done).content.status !== "error") throw Error("it was not interrupted");
        }"""
    )
    wait_for_steps(widget, 5)
    assert notebook.python("print(monitor.state)") == "running"


def test_pause_holds_and_resume_goes_on(notebook, widget):
    begin(notebook, widget)
    press(widget, "Pause")
    wait_for(widget, "paused")
    step = int(widget.get_attribute("data-step"))
    assert notebook.python("print(monitor.wait(), monitor.trainer.step, monitor.trainer.running)") == (
        f"paused {step} False"
    )
    expect(widget.locator(".ldvd-status")).to_contain_text(f"Paused at step {step:,} of 1,000,000. Saved in")
    assert Run.open(notebook.lab.directory / "runs" / "watched").newest_step == step
    press(widget, "Resume")
    wait_for(widget, "running")
    wait_for_steps(widget, 3)


def test_stop_leaves_a_checkpoint_and_more_steps_can_be_asked_for(notebook, widget):
    begin(notebook, widget)
    press(widget, "Stop")
    wait_for(widget, "finished")
    step = int(widget.get_attribute("data-step"))
    assert Run.open(notebook.lab.directory / "runs" / "watched").newest_step == step
    field = widget.get_by_role("spinbutton", name="until step")
    notebook.type_into(field, str(step + 5))
    notebook.says("monitor.steps", str(step + 5))
    expect(widget.locator("progress")).to_have_js_property("max", step + 5)
    press(widget, "Resume")
    expect(widget).to_have_attribute("data-step", str(step + 5))
    wait_for(widget, "finished")
    expect(widget.get_by_role("button", name="Resume")).to_be_disabled()
    notebook.type_into(field, "0")
    expect(widget.locator(".ldvd-status")).to_contain_text("“0” is not a whole number from 1 on.")
    notebook.python("monitor.steps = 1_000_000")
    expect(field).to_have_value("1000000")


def test_what_the_chart_says_is_what_was_logged(notebook, widget):
    begin(notebook, widget)
    notebook.python("monitor.pause(); monitor.wait()")
    wait_for(widget, "paused")
    losses = widget.get_by_role("slider", name="Losses")
    readout = widget.locator("figure", has=notebook.page.get_by_role("slider", name="Losses")).locator("figcaption")
    rows = notebook.python("print(len(monitor._series['losses']['rows']))")
    expect(losses).to_have_attribute("data-rows", rows)
    first, last = notebook.python("print(monitor.run.metrics()['generator_loss'][[0, -1]].tolist())")[1:-1].split(", ")
    for key, step, value in (("Home", "2", float(first)), ("Escape", None, float(last)), ("ArrowLeft", None, None)):
        losses.press(key)
        text = readout.inner_text()
        assert losses.get_attribute("aria-valuetext") == text
        if step:
            assert text.startswith(f"step {step}: ")
        if value is not None:
            shown = float(text.split("generator loss ")[1].split(", ")[0].replace("−", "-"))
            assert shown == pytest.approx(value, rel=0.01)
    losses.press("Escape")
    line = losses.locator("g[data-name='video fake score']")
    expect(line).to_have_count(0)
    widget.get_by_role("checkbox", name="video fake score").check()
    expect(line).to_have_count(1)
    expect(readout).to_contain_text("fake score")
    widget.get_by_role("checkbox", name="video fake score").uncheck()
    expect(line).to_have_count(0)
    eigenvalues = widget.get_by_role("slider", name="Leading eigenvalues")
    assert eigenvalues.get_attribute("aria-valuetext").startswith("step ")
    assert "λ⁺ " in eigenvalues.get_attribute("aria-valuetext")


def test_the_newest_samples_play_and_can_be_held_still(notebook, widget):
    begin(notebook, widget)
    notebook.python("monitor.pause(); monitor.wait()")
    wait_for(widget, "paused")
    step = int(notebook.python("print(monitor._sampled_step)"))
    playing = widget.get_by_role("img", name=f"Samples of step {step:,}", exact=True)
    expect(playing).to_be_visible()
    assert playing.evaluate("image => image.naturalWidth") > 2 * 8
    press(widget, "Hold still")
    expect(playing).to_be_hidden()
    expect(widget.get_by_role("img", name=f"Samples of step {step:,}, first frame")).to_be_visible()
    press(widget, "Play")
    expect(playing).to_be_visible()


def test_what_the_thread_prints_does_not_turn_up_in_other_cells(notebook, widget):
    begin(notebook, widget)
    notebook.page.locator(".jp-Cell").last.click()  # an empty cell
    for starting in (lambda: notebook.python("monitor.start()"), lambda: press(widget, "Resume")):
        notebook.python("monitor.pause(); monitor.wait(); Slow.loud_until = time.monotonic() + 5")
        wait_for(widget, "paused")
        starting()
        wait_for(widget, "running")
        notebook.page.evaluate(
            """async () => {
              const { content } = jupyterapp.shell.currentWidget;
              content.activeCellIndex = content.widgets.length - 1;
              content.activeCell.model.sharedModel.setSource("time.sleep(1); print('said')");
              await jupyterapp.commands.execute("notebook:run-cell");
            }"""
        )
        output = notebook.page.locator(".jp-Cell").last.locator(".jp-OutputArea-output")
        expect(output).to_have_text("said\n")


def test_a_page_that_is_loaded_anew_shows_everything(notebook, widget):
    begin(notebook, widget)
    notebook.command("docmanager:save")
    notebook.page.reload()
    widget.wait_for(timeout=60_000)
    wait_for(widget, "running")
    wait_for_steps(widget, 5)
    notebook.python("monitor.pause(); monitor.wait()")
    wait_for(widget, "paused")
    rows = notebook.python("print(len(monitor._series['losses']['rows']))")
    expect(widget.get_by_role("slider", name="Losses")).to_have_attribute("data-rows", rows)


def test_the_keyboard_reaches_every_control_and_the_notebook_takes_no_key_away(notebook, widget):
    begin(notebook, widget)
    notebook.python("monitor.pause(); monitor.wait()")
    wait_for(widget, "paused")
    widget.get_by_role("button", name="Resume").focus()
    focused = "document.activeElement"
    names = []
    for _ in range(4):
        notebook.page.keyboard.press("Tab")
        names.append(
            notebook.page.evaluate(f"{focused}.ariaLabel ?? {focused}.labels?.[0]?.innerText ?? {focused}.innerText")
        )
        assert notebook.page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid", "one sees the focus"
    assert [name.strip() for name in names] == [
        "Stop",
        "until step",
        "Losses: the arrow keys go from step to step",
        "generator loss",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_and_line_can_be_told_from_the_ground_in_both_themes(notebook, widget, theme):
    begin(notebook, widget)
    notebook.python("monitor.pause(); monitor.wait()")
    wait_for(widget, "paused")
    notebook.set_theme(theme)
    notebook.page.wait_for_timeout(300)  # for the theme's transitions
    controls = ".ldvd-button:enabled, .ldvd-field > span, .ldvd-count, .ldvd-time, input[type=number], .ldvd-status"
    looks.assert_contrast(widget.locator(f"{controls}, .ldvd-title, figcaption, .ldvd-plot text"))
    looks.assert_contrast(widget.locator(".ldvd-line"), looks.VISIBLE)
    widget.scroll_into_view_if_needed()
    notebook.screenshot(f"training-monitor-{theme}")


@pytest.mark.parametrize("width", [550, 480])
def test_nothing_is_cut_off_where_there_is_little_room(notebook, widget, width):
    begin(notebook, widget)
    notebook.python("monitor.pause(); monitor.wait()")
    wait_for(widget, "paused")
    notebook.page.set_viewport_size({"width": width, "height": 450})
    try:
        notebook.page.wait_for_timeout(300)
        frame = notebook.page.locator(".jp-OutputArea-output", has=widget)
        looks.assert_within(widget.locator("button, input, progress, svg, img, p, figcaption"), frame)
        widget.scroll_into_view_if_needed()
        notebook.screenshot(f"training-monitor-{width}")
    finally:
        notebook.page.set_viewport_size({"width": 1100, "height": 900})


# Runs that end otherwise


def test_a_failure_is_shown_and_the_numbers_stay(notebooks):
    opened = notebooks("failing.ipynb", [SETUP, "monitor = make('failing', 1_000_000)\nmonitor"])
    opened.run_all()
    widget = opened.page.locator(".ldvd-training-monitor")
    press(widget, "Start")
    widget.page.wait_for_function(f"() => {STEP} >= 12", timeout=60_000)
    opened.python("monitor.pause(); monitor.wait()")
    rows = widget.get_by_role("slider", name="Losses").get_attribute("data-rows")
    opened.python("monitor.trainer.gan.generator.image.layers[0].weight.data.fill_(float('nan'))")
    press(widget, "Resume")
    wait_for(widget, "failed")
    status = widget.locator(".ldvd-status")
    expect(status).to_contain_text("Failed: training diverged at step")
    expect(status).to_contain_text("the last good checkpoint is step_")
    expect(status).to_have_class("ldvd-status ldvd-failed")
    for name in ("Resume", "Stop"):
        expect(widget.get_by_role("button", name=name)).to_be_disabled()
    assert int(widget.get_by_role("slider", name="Losses").get_attribute("data-rows")) >= int(rows)
    opened.screenshot("training-monitor-failed")
    assert opened.console_errors == []


def test_a_restart_of_the_kernel_leaves_a_run_that_can_be_continued(notebooks):
    opened = notebooks("restarted.ipynb", [SETUP, "monitor = make('restarted', 1_000_000)\nmonitor"])
    opened.run_all()
    widget = opened.page.locator(".ldvd-training-monitor")
    press(widget, "Start")
    widget.page.wait_for_function(f"() => {STEP} >= 20", timeout=60_000)
    opened.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    run = Run.open(opened.lab.directory / "runs" / "restarted")
    assert run.newest_step >= 20, "the last step was saved at the kernel's end"
    run.gan()
    opened.run_all()
    opened.says("monitor.state, monitor.step", f"paused {run.newest_step}")
    assert int(opened.python("print(monitor._series['losses']['rows'][-1][0])")) <= run.newest_step
    assert opened.console_errors == []


@pytest.fixture(scope="module")
def stored(published) -> nbformat.NotebookNode:
    return published(SETUP, "monitor = make('stored', 30)\nmonitor.start()\nmonitor.wait()", "monitor")


def test_a_notebook_that_was_never_run_here_shows_the_still_picture(notebooks, stored):
    looks.assert_picture_stands_in(notebooks("fresh-monitor.ipynb", stored), 600)


def test_a_stored_widget_of_a_trusted_notebook_shows_the_numbers(notebooks, stored):
    opened = notebooks("trusted-monitor.ipynb", stored, trusted=True)
    widget = opened.page.locator(".ldvd-training-monitor")
    widget.wait_for(timeout=60_000)
    expect(widget.get_by_role("slider", name="Losses")).to_have_attribute("data-rows", "15")
    expect(widget.get_by_role("slider", name="Leading eigenvalues")).to_have_attribute("data-rows", "3")
    assert opened.console_errors == []
