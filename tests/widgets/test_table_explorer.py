"""The Python side of the table explorer; its other side is driven in tests/browser/test_table_explorer.py."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import traitlets
from PIL import Image

from ldvd_lib import paper, zoo
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib.metrics import Evaluation
from ldvd_lib.runs import Result, Run, write_results
from ldvd_lib.runs.run import RunConfig
from ldvd_lib.widgets import TableExplorer


def result(model: str, inception: float, *, seed: int = 0, steps: int = 1200) -> Result:
    return Result(
        model=model,
        preset="lite",
        seed=seed,
        steps=steps,
        data="216 clips (train), 32 px",
        protocol="actions-v1",
        weights="abc",
        samples=64,
        real="64 windows",
        values={"is": (inception - 0.1, inception + 0.1), "fid": (50 - inception, 51 - inception)},
    )


@pytest.fixture
def report(tmp_path) -> Path:
    results = [result("tgan", 5.0), result("tgan-f", 6.0), result("mine", 3.0), result("mocogan", 4.0, steps=800)]
    return write_results(results, tmp_path / "report.json")


def write_run(directory: Path, model: str = "tgan", *, is_judged: bool = True) -> Path:
    data = {"clips": 216, "subset": "train", "image_size": 32}
    save_json(to_dict(RunConfig(zoo.config(model), data)), directory / "config.json")
    if is_judged:
        evaluation = Evaluation("run", "actions-v1", "abc", 24, "24 windows", (0, 1), {"is": (2.0, 3.0)})
        evaluation.save(directory / "evaluations" / "actions-v1-24-step-400" / "evaluation.json")
    return directory


# What it opens with


def test_without_results_it_shows_the_paper(tmp_path) -> None:
    explorer = TableExplorer()
    assert (explorer.table, explorer.metric, explorer.sort, explorer.condition) == ("5a", "is", "", "")
    assert (explorer.conditions, explorer.measured, explorer.status) == ({}, {}, "")
    assert repr(explorer) == str(paper.table("5a"))


def test_every_figure_of_every_table_travels() -> None:
    sent = json.loads(json.dumps(TableExplorer().get_state()["_tables"], allow_nan=False))
    assert [table["number"] for table in sent] == [table.number for table in paper.tables()]
    for sent_table, table in zip(sent, paper.tables(), strict=True):
        for line, row in zip(sent_table["rows"], table.rows, strict=True):
            expected = {key: [v.mean, v.deviation, str(v)] for key, v in row.values.items() if v}
            assert {key: list(value.values()) for key, value in line["values"].items()} == expected


def test_runs_and_reports_are_told_apart_by_what_they_are(tmp_path, report) -> None:
    run = write_run(tmp_path / "run")
    for runs in (run, str(run), Run.open(run), {"run": run}):
        explorer = TableExplorer(runs)
        assert list(explorer.results) == ["run"]
        assert explorer.measured["tgan"]["is"].mean == 2.5
    assert list(TableExplorer(report).results) == ["report"]
    both = TableExplorer({"a": run, "b": report})
    assert len(both.conditions) == 3


def test_a_run_that_nobody_judged_is_named_with_what_to_do(tmp_path) -> None:
    runs = {"first": write_run(tmp_path / "a"), "second": write_run(tmp_path / "b", is_judged=False)}
    explorer = TableExplorer(runs)
    assert explorer.status.startswith("Not judged yet: second. Judge a run with `ldvd evaluate RUN --data DATA`")
    assert explorer.measured["tgan"]["is"].mean == 2.5


def test_it_opens_with_the_condition_that_has_most_of_the_table(report) -> None:
    assert TableExplorer(report).condition.startswith("lite, 1,200 steps")
    assert TableExplorer(report, table="2").condition.startswith("lite, 800 steps")


def test_what_is_compared_travels_with_the_results(report) -> None:
    first, _ = TableExplorer(report)._conditions
    assert first["reasons"][0] == "another judge (actions-v1)"
    comparison = first["comparisons"]["5a"]["is"]
    assert (comparison["baseline"], comparison["count"]) == ("TGAN", 2)
    assert comparison["rows"]["tgan-f"] == {
        "paper": {"ratio": "1.14", "place": 1},
        "ours": {"ratio": "1.20", "place": 1},
    }
    assert {model["model"]: model["isOwn"] for model in first["models"]} == {
        "tgan": False,
        "tgan-f": False,
        "mine": True,
    }
    assert set(first["comparisons"]) == {"5a", "8"}, "the tables with both models"
    json.dumps(first, allow_nan=False)


def test_a_model_whose_critic_collapsed_is_compared_with_nothing(tmp_path) -> None:
    results = [result("mocogan", 5.0), result("mocogan-image", 4.0), replace(result("mocogan-2x", 1.0), collapsed=True)]
    widget = TableExplorer(write_results(results, tmp_path / "report.json"), table="2")
    (condition,) = widget._conditions
    assert set(condition["comparisons"]["2"]["is"]["rows"]) == {"mocogan", "mocogan-image"}
    assert "Of 1 pair, " in repr(widget)
    assert "2xChannels, whose critic collapsed: compared with nothing: IS 1" in repr(widget)


def test_conditions_that_read_alike_stay_apart(tmp_path) -> None:
    results = [result("tgan", 5.0), result("tgan", 6.0)]
    paths = [write_results([record], tmp_path / f"{number}.json") for number, record in enumerate(results)]
    record = json.loads(paths[1].read_text())
    record[0]["weights"] = "another judge's"
    save_json(record, paths[1])
    explorer = TableExplorer({"a": paths[0], "b": paths[1]})
    assert [figures["tgan"]["is"].mean for figures in explorer.conditions.values()] == [5.0, 6.0]


def test_a_model_of_ones_own_goes_by_the_name_one_gave_it(tmp_path, report) -> None:
    explorer = TableExplorer({"my pyramid": write_results([result("mine", 3.0)], tmp_path / "mine.json")})
    (model,) = explorer._conditions[0]["models"]
    assert (model["model"], model["label"], model["about"]) == ("mine", "my pyramid", "my pyramid")
    labels = {model["model"]: model["label"] for model in TableExplorer({"all": report})._conditions[0]["models"]}
    assert labels["mine"] == "mine", "a name that several share tells nothing"


# Choosing


def test_what_hangs_on_the_table_follows(report) -> None:
    explorer = TableExplorer(report)
    explorer.metric, explorer.sort, explorer.descending = "fid", "ours:fid", True
    explorer.table = "8"
    assert (explorer.metric, explorer.sort, explorer.descending) == ("fid", "ours:fid", True)
    explorer.table = "6a"
    assert (explorer.metric, explorer.sort, explorer.descending) == ("is", "", False)
    assert explorer.condition.startswith("lite, 1,200")
    explorer.table = "2"
    assert explorer.condition.startswith("lite, 800")


def test_a_choice_of_the_browser_arrives_whole_and_python_answers_nothing(report, monkeypatch) -> None:
    explorer = TableExplorer(report)
    other = list(explorer.conditions)[1]
    sent = []
    monkeypatch.setattr(explorer.comm, "send", lambda data, **options: sent.append(data["method"]))
    explorer.set_state({"metric": "fid", "sort": "fid"})
    explorer.set_state({"table": "2", "condition": other})
    explorer.set_state({"table": "7", "metric": "is", "sort": "", "descending": False})
    assert (explorer.table, explorer.metric, explorer.sort) == ("7", "is", "")
    assert "update" not in sent


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("table", "5", r"no table '5': did you mean"),
        ("metric", "kid", r"for table 5a the metric 'kid' is unknown: .* choices are \['is', 'fid'\]"),
        (
            "sort",
            "frames",
            r"for table 5a the sort 'frames' is unknown: .* choices are \['', 'label', 'param",
        ),
        ("condition", "paper", r"condition 'paper' is unknown: .* choices are \['lite"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(report, name, value, message) -> None:
    explorer = TableExplorer(report)
    before = getattr(explorer, name)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before


@pytest.mark.parametrize(
    ("runs", "error", "message"),
    [
        (3, ValueError, "a report file, or label → one of these, got int"),
        ({1: "a"}, ValueError, "label → one of these, got dict"),
        ({"a": 3}, ValueError, "a run must be a Run, the directory of one, or a report file, got int"),
        ("nowhere", FileNotFoundError, "nowhere is not a run directory"),
        ("nowhere.json", FileNotFoundError, r"nowhere\.json"),
    ],
)
def test_what_is_no_run_is_refused(runs, error, message) -> None:
    with pytest.raises(error, match=message):
        TableExplorer(runs)
    with pytest.raises(ValueError, match="no table '4'"):
        TableExplorer(table="4")


# Readers without a kernel


@pytest.mark.parametrize("table", [table.number for table in paper.tables()])
def test_the_output_holds_the_widget_the_table_and_a_picture(report, table) -> None:
    data, metadata = TableExplorer(report, table=table)._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert data["text/plain"].startswith(str(paper.table(table)))
    alt = metadata["image/png"]["alt"]
    for row in paper.table(table).rows:
        assert all(str(value) in alt for value in row.values.values() if value)
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.width > 600


def test_ones_own_figures_are_in_the_words_too(report) -> None:
    data, metadata = TableExplorer(report)._repr_mimebundle_()
    for text in (data["text/plain"], metadata["image/png"]["alt"]):
        assert "on a scale of their own" in text
        assert "c0-c1 = TGAN-F: IS 6.00 ± 0.14, FID 44.50 ± 0.71." in text
        assert "mine (yours): IS 3.00 ± 0.14" in text
        assert "Of 1 pair, 1 in the same order" in text


def test_it_says_whose_runs_they_are(report) -> None:
    explorer = TableExplorer(report, whose="our")
    data, metadata = explorer._repr_mimebundle_()
    for text in (data["text/plain"], metadata["image/png"]["alt"]):
        assert "Our runs (lite, 1,200 steps" in text
        assert "mine (ours): IS 3.00 ± 0.14" in text
        assert "in our runs c0-c1 = TGAN-F, TGAN" in text
        assert "your" not in text.lower()
    sentence = explorer._conditions[0]["comparisons"]["5a"]["is"]["sentence"]
    assert "in our runs" in sentence, "for the web browser, too"
