"""The report says what the files say."""

import json
import re
import shutil
import statistics
from pathlib import Path

import pytest

from ldvd_lib import cli
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib.cli.reproduce import _order
from ldvd_lib.metrics import Evaluation
from ldvd_lib.paper import read_points
from ldvd_lib.reproduce import Order, make_plan, remember, write_report
from ldvd_lib.reproduce.markdown import enumeration, grid, number
from ldvd_lib.reproduce.report import command
from ldvd_lib.runs import read_results, results_of_run
from ldvd_lib.runs.run import RunConfig


def ldvd(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def reproduced(tiny_actions, tmp_path_factory) -> Path:
    """Two rows of Table 5a from two seeds, two steps each."""
    out = tmp_path_factory.mktemp("reproduce") / "out"
    few = ("--rows", "tgan", "tgan-f", "--seeds", 2, "--steps", 2, "--batch-size", 2, "--samples", 8, "--repeats", 2)
    assert ldvd("reproduce", "5a", *few, "--data", tiny_actions, "--out", out, "--device", "cpu", "--quiet") == 0
    return out


@pytest.mark.slow
def test_the_numbers_are_those_of_the_evaluations(reproduced) -> None:
    text = (reproduced / "report.md").read_text()
    scores: dict[str, list[float]] = {"tgan": [], "tgan-f": []}
    for file in sorted(reproduced.glob("runs/seed-*/*/evaluations/*/evaluation.json")):
        scores[file.parents[2].name].append(statistics.fmean(Evaluation.load(file).values["is"]))
    for model, values in scores.items():
        assert len(values) == 2
        (line,) = [line for line in text.splitlines() if f"| {model} |" in line]
        _, label, _, paper_is, our_is, paper_fid, *_, trainings, _ = (cell.strip() for cell in line.split("|"))
        assert (label, trainings) == ({"tgan": "TGAN (Table 3a)", "tgan-f": "c0-c1 = TGAN-F"}[model], "2")
        assert paper_is == {"tgan": "11.93 ± 0.08", "tgan-f": "13.62 ± 0.06"}[model]
        assert paper_fid == {"tgan": "9,127.80 ± 13.77", "tgan-f": "8,943 ± 4"}[model]
        mean, deviation = map(float, our_is.split(" ± "))
        assert mean == pytest.approx(statistics.fmean(values), abs=6e-3)
        assert deviation == pytest.approx(statistics.stdev(values), abs=6e-3)


@pytest.mark.slow
def test_the_records_are_those_of_the_runs(reproduced) -> None:
    results = read_results(reproduced / "report.json")
    runs = [*reproduced.glob("runs/seed-*/*")]
    of_runs = {(result.model, result.seed): result for run in runs for result in results_of_run(run)}
    assert len(results) == len(of_runs) == 4
    for result in results:
        assert result.values == of_runs[result.model, result.seed].values
        assert (result.steps, result.protocol, result.samples) == (2, "actions-v1", 8)
        assert "CPU core" in result.hardware


@pytest.mark.slow
def test_the_report_is_whole_and_knows_no_machine(reproduced, tiny_actions) -> None:
    text = (reproduced / "report.md").read_text()
    assert text.startswith("# Reproduction: Table 5a\n\n4 of 4 trainings complete.")
    pictures = re.findall(r"!\[([^]]+)\]\(([^)]+)\)", text)
    assert [path for _, path in pictures] == [
        f"figures/{name}.png" for name in ("table-5a", "samples-tgan", "samples-tgan-f")
    ]
    assert all((reproduced / path).is_file() for _, path in pictures)
    assert "another judge (actions-v1); smaller networks and pictures (lite); 2 steps instead of 100,000" in text
    for path in (reproduced, tiny_actions, Path.home()):
        assert str(path) not in text
        assert str(path) not in (reproduced / "report.json").read_text()
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    (reproduced / "report.md").unlink()
    assert ldvd("reproduce", "--report-only", "--out", reproduced) == 0
    assert (reproduced / "report.md").read_text() == text


@pytest.mark.slow
def test_what_subsampling_is_worth_is_reported(tiny_actions, tmp_path) -> None:
    """TGANv2's own ablation: two of its rows, two steps each."""
    out = tmp_path / "out"
    few = ("--rows", "tganv2", "tganv2-none", "--steps", 2, "--batch-size", 4, "--samples", 8, "--repeats", 2)
    assert ldvd("reproduce", "tganv2", *few, "--data", tiny_actions, "--out", out, "--device", "cpu", "--quiet") == 0
    text = (out / "report.md").read_text()
    assert "2 of 2 trainings complete" in text
    for label, model, reported in (
        ("batch of 64", "tganv2", "22.70 ± 0.19"),
        ("no subsampling", "tganv2-none", "12.10 ± 0.10"),
    ):
        (line,) = [line for line in text.splitlines() if f"| {model} |" in line]
        assert label in line
        assert reported in line
    assert "Not trained: batch of 256 (no model of the zoo)." in text
    assert {result.model for result in read_results(out / "report.json")} == {"tganv2", "tganv2-none"}


@pytest.mark.slow
def test_a_report_tells_of_what_is_left(reproduced, tiny_actions, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    ask = ("reproduce", "6a", "--steps", 2, "--data", tiny_actions, "--out", out, "--quiet", "--device", "cpu")
    assert ldvd(*ask, "--budget", 0) == 0
    printed = capsys.readouterr().out
    assert "0 of 4 trainings complete" in printed
    assert "run the same command again" in printed
    text = (out / "report.md").read_text()
    assert "## To go on" in text
    assert text.count("| 0 of 1 |") == text.count("| not begun |") == 4
    assert read_results(out / "report.json") == []


def made_up_run(
    directory: Path, model: str, spectrum: dict[str, float], seed: int = 0, *, log: dict[str, float] | None = None
) -> None:
    """A finished run whose two probes saw this extreme eigenvalue, and half of it the other way, of each one's D.

    Whatever else its log has is the same at every step.
    """
    training = next(other for other in make_plan(Order(("curvature",))).trainings if other.config.name == model)
    data = {"clips": 24, "subset": "train", "image_size": 32}
    home = directory / f"curvature/seed-{seed}/{model}"
    save_json(to_dict(RunConfig(training.config, data, seed)), home / "config.json")
    (home / "checkpoints/step_0000150").mkdir(parents=True)
    records = [{"step": step, "seconds": step / 5} | (log or {}) for step in range(10, 151, 10)]
    (home / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    lines = [
        {"step": step, "discriminator": name, "eigenvalues": [value, -value / 2], "largest": value}
        | {"smallest": -value / 2, "converged": True}
        for step in (50, 150)
        for name, value in spectrum.items()
    ]
    (home / "spectrum.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_the_claims_are_reported_from_spectra_alone(tmp_path) -> None:
    for seed, video in enumerate((80.0, 20.0)):
        made_up_run(tmp_path, "mocogan", {"image": 10.0, "video": video}, seed)
    made_up_run(tmp_path, "tgan", {"video": 1234.0})
    remember(Order(("curvature",), seeds=(0, 1)), tmp_path)
    text = write_report(tmp_path).read_text()
    assert text.startswith("# Reproduction: the claims about curvature\n\n3 of 14 trainings complete.")
    findings = json.loads((tmp_path / "claims.json").read_text())
    assert [tuple(finding[key] for key in ("claim", "measure", "numbers", "held")) for finding in findings] == [
        ("1", "extreme", [8.0, 2.0], 1),
        ("1", "median", [8.0, 2.0], 1),
        ("2a", "asymmetry", [2.0], 0),
        ("2b", "growth", [1.0], 0),
    ]
    (line,) = [line for line in text.splitlines() if "video / mocogan/image: largest" in line]
    assert line.endswith("| > 3 | 8.00, 2.00 | 5.00 | 1 of 2 |")
    assert "| tgan/video | 1,234 | -617 |" in text
    assert text.count("| not begun |") == 11
    for path in re.findall(r"\]\(([^)]+)\)", text):
        assert (tmp_path / path).is_file()


def test_a_critic_at_chance_is_reported_as_collapsed(tmp_path) -> None:
    dead = {"video_loss": 1.3863, "video_real_score": 0.0, "video_fake_score": 0.0}
    made_up_run(tmp_path, "mocogan", {"image": 10.0, "video": 80.0})
    made_up_run(tmp_path, "mocogan-video-k2", {"video": 20.0}, log=dead)
    remember(Order(("curvature",)), tmp_path)
    text = write_report(tmp_path).read_text()
    assert "Collapsed: mocogan-video-k2/video (seed 0). Such a critic did no better than chance" in text
    (line,) = [line for line in text.splitlines() if "mocogan-video-k2/video / mocogan/video: largest" in line]
    assert line.endswith("| > 1 | – | – | 1 collapsed |")


def judged(directory: Path, order: Order, *, dead: str) -> None:
    """Trainings of an order, judged, of which those of one model stood at chance."""
    remember(order, directory)
    for place, training in enumerate(make_plan(order).trainings):
        home = directory / training.directory
        data = {"clips": 24, "subset": "train", "image_size": 32}
        save_json(to_dict(RunConfig(training.config, data, training.seed)), home / "config.json")
        gap = 0.0 if training.config.name == dead else 3.0
        scores = {"video_loss": 1.4 - gap / 3, "video_real_score": gap, "video_fake_score": 0.0}
        records = [{"step": step, "seconds": step / 5} | scores for step in range(10, 151, 10)]
        (home / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        values = {"is": (2.0 + place, 2.1 + place), "fid": (90.0 - place, 91.0 - place)}
        evaluation = Evaluation("run, step 150", "actions-v1", "abc", 24, "24 windows", (0, 1), values)
        evaluation.save(home / "evaluations" / "actions-v1-24-step-150" / "evaluation.json")


def test_pairs_are_counted_with_and_without_what_collapsed(tmp_path) -> None:
    rows = ("mocogan-video", "mocogan-2x-video", "mocogan-video-k2")
    judged(tmp_path, Order(("2",), rows=rows, seeds=(0, 1), steps=150), dead="mocogan-video-k2")
    text = write_report(tmp_path).read_text()
    assert re.search(r"\| mocogan-video-k2 \|.*\| 2; 2 collapsed \|", text)
    counts = re.findall(r"(?m)^\| (IS|FID) \| (.+?) \| (trainings|samples.*?) \| (\d+) \| (\d+) \| (\d+) \|$", text)
    assert [(score, words, bars.split(",")[0]) for score, words, bars, *_ in counts] == [
        (score, words, bars)
        for score in ("IS", "FID")
        for words, bars in (
            ("all rows", "trainings"),
            ("all but mocogan-video-k2 (collapsed)", "trainings"),
            ("all but mocogan-video-k2 (collapsed)", "samples"),
        )
    ]
    assert [sum(map(int, numbers)) for *_, one, two, three in counts for numbers in [(one, two, three)]] == [
        3,
        1,
        1,
    ] * 2
    assert all(
        result.collapsed == (result.model == "mocogan-video-k2") for result in read_results(tmp_path / "report.json")
    )


def asked(directory: Path, critics: dict[str, tuple[float, float]], *, dead: str) -> None:
    """Trainings of the question with a leading eigenvalue and an FID, in two seeds, of which one critic's collapsed."""
    order = Order(("question",), rows=tuple(critics), seeds=(0, 1), samples=24)
    remember(order, directory)
    for training in make_plan(order).trainings:
        curvature, fid = critics[training.config.name]
        home = directory / training.directory
        data = {"clips": 24, "subset": "train", "image_size": 32}
        save_json(to_dict(RunConfig(training.config, data, training.seed)), home / "config.json")
        (home / "checkpoints/step_0000500").mkdir(parents=True)
        gap = 3.0 * (training.config.name != dead)
        scores = {
            f"{name}_{key}": value
            for name in training.config.discriminators
            for key, value in (("loss", 1.4 - gap / 3), ("real_score", gap), ("fake_score", 0.0))
        }
        records = [{"step": step, "seconds": step / 5} | scores for step in range(10, 501, 10)]
        (home / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        ends = {"largest": curvature, "smallest": -1.0, "converged": True}
        (name, *_) = training.config.discriminators
        spectrum = {"step": 50, "discriminator": name, **ends, "steepness": 1.0}
        spectrum |= {f"step_{key}": value for key, value in ends.items()}
        (home / "spectrum.jsonl").write_text(json.dumps(spectrum) + "\n")
        values = {"fid": (fid + training.seed,), "kid": (fid,)}
        evaluation = Evaluation("run, step 500", "actions-v1", "abc", 24, "24 windows", (0,), values)
        evaluation.save(home / "evaluations" / "actions-v1-24-step-500" / "evaluation.json")
        save_json({"generated": 2.0, "real": 1.0}, home / "evaluations" / "flicker-step-500.json")


def test_the_question_is_answered_from_what_was_measured(tmp_path) -> None:
    critics = {"3d-free": (9.0, 90.0), "c0-free": (8.0, 80.0), "c0-c1-free": (7.0, 70.0), "c0-c2-free": (6.0, 60.0)}
    critics |= {"shift-free": (5.0, 50.0), "mocogan-free": (4.0, 40.0)}
    asked(tmp_path, critics | {"frames-free": (3.0, 10.0)}, dead="frames-free")
    text = write_report(tmp_path).read_text()
    assert text.startswith("# Reproduction: the question whether a calmer critic teaches better\n\n14 of 14 trainings")
    assert "\n- question: 500 steps; seeds 0 and 1; preset" not in text
    points = read_points(tmp_path / "question.json")
    assert [(point.critic, point.seed, point.fid) for point in points[::7]] == [("3d-free", 0, 90), ("3d-free", 1, 91)]
    assert {point.critic for point in points if point.collapsed} == {"frames-free"}
    assert "Collapsed, and compared with nothing: frames-free (seed 0) and frames-free (seed 1)." in text
    assert re.search(r"\| leading \\\|λ\\\| \| all \| 6 \| \+1\.00 \[", text)
    assert "| c0-free | 3d-free | × 0.89 | × 0.89 | × 0.89 | 2 of 2 | 2 of 2 |" in text
    assert "By leading |λ|, the calmer of the two is better in 10 of 10." in text
    for path in re.findall(r"\]\(([^)]+)\)", text):
        assert (tmp_path / path).is_file()


def test_a_question_that_nothing_answers_yet(tmp_path) -> None:
    remember(Order(("question",)), tmp_path)
    assert "No training is complete yet." in write_report(tmp_path).read_text()
    assert read_points(tmp_path / "question.json") == []


def made_up_report(directory: Path) -> Path:
    """Of one run; returns the run's directory."""
    made_up_run(directory, "tgan", {"video": 1234.0})
    remember(Order(("curvature",)), directory)
    return directory / "curvature/seed-0/tgan"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("plan.json", "3", r"plan\.json must hold a list of orders"),
        ("plan.json", "[]", "holds no reproduction"),
        (
            "plan.json",
            '[{"targets": ["5a"], "protocol": "nonsense"}]',
            r"plan\.json has an order that cannot be carried",
        ),
        (
            "plan.json",
            '[{"targets": ["5a"], "changes": {"speed": 1}}]',
            r"plan\.json has an order that cannot be carried",
        ),
        ("plan.json", '[{"targets": ["5a"], "steps": -1}]', r"plan\.json, order 0: steps must be a whole number"),
        ("curvature/seed-0/tgan/environment.json", "{}", r"environment\.json must hold a list of machines"),
        ("curvature/seed-0/tgan/environment.json", "[1]", r"environment\.json must hold a list of machines"),
        ("curvature/seed-0/tgan/diverged.txt", "", r"diverged\.txt is empty: delete it"),
        ("curvature/seed-0/tgan/config.json", "", r"config\.json does not hold JSON"),
        ("curvature/seed-0/tgan/spectrum.jsonl", '{"step": 50}\n', r"line 1 of .*spectrum\.jsonl lacks"),
    ],
)
def test_what_is_damaged_is_named(tmp_path, file: str, content: str, message: str) -> None:
    made_up_report(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        write_report(tmp_path)


def test_copies_of_runs_are_not_reported(tmp_path) -> None:
    run = made_up_report(tmp_path)
    text = write_report(tmp_path).read_text()
    shutil.copytree(run, run.with_name("tgan-best"))
    shutil.copytree(run, run.parent.with_name("seed-0-before") / "tgan")
    assert write_report(tmp_path).read_text() == text


def test_a_report_of_nothing(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no reproduction"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    "order",
    [
        Order(("5a", "6a"), seeds=(0, 1, 2), steps=1_200),
        Order(("2",), rows=("mocogan",), changes={"frame_stride": 1, "batch_size": 4}, short="loop", probe_every=50),
        Order(("8",), seeds=(3,), preset="paper", protocol="ldvd-2019", samples=2_000, repeats=2),
        Order(("9",), changes={"precision": "bfloat16", "compile": True}),
        Order(("question",), rows=("3d-svc",), changes={"precision": "bfloat16"}),
    ],
)
def test_the_command_that_a_report_gives_is_the_order(order: Order) -> None:
    arguments = cli.build_parser().parse_args([*command(order).split()[1:], "--device", "cpu"])
    assert _order(arguments) == order


def test_the_claims_are_not_said_to_have_what_is_of_the_tables_alone(tmp_path) -> None:
    remember(Order(("curvature",), changes={"compile": True}), tmp_path)
    assert "\n- curvature: 150 steps; seed 0.\n" in write_report(tmp_path).read_text()


def test_what_keeps_scores_from_being_compared_is_said(tmp_path) -> None:
    order = Order(("5a",), rows=("tgan", "tgan-f"), seeds=(0, 1), changes={"frame_stride": 2}, steps=7)
    remember(order, tmp_path)
    for training in make_plan(order).trainings[:3]:
        home = tmp_path / training.directory
        data = {"clips": 24, "subset": "train", "image_size": 32}
        save_json(to_dict(RunConfig(training.config, data, training.seed)), home / "config.json")
        evaluation = Evaluation("run, step 7", "actions-v1", "abc", 24, "24 windows", (0,), {"is": (2.0,)})
        evaluation.save(home / "evaluations" / "actions-v1-24-step-7" / "evaluation.json")
    text = write_report(tmp_path).read_text()
    assert "another recipe (frame_stride=2).\n" in text
    assert "IS: there is only one training of tgan-f. How far others" in text


def test_a_gpu_compiles_unless_it_probes() -> None:
    def changes(*options: str) -> dict:
        arguments = cli.build_parser().parse_args(["reproduce", "5a", *options])
        arguments.device = "cuda"
        return _order(arguments).changes

    assert changes() == {"compile": True}
    assert changes("--probe-every", "50") == changes("--no-compile") == {}
    assert changes("--no-compile", "--precision", "bfloat16") == {"precision": "bfloat16"}


def test_forms_of_markdown() -> None:
    assert grid(["a", "|b|"], [["1", "2"]]) == "| a | \\|b\\| |\n| --- | --: |\n| 1 | 2 |"
    assert [enumeration(words) for words in ([], [1], [1, 2], [1, 2, 3])] == ["", "1", "1 and 2", "1, 2 and 3"]
    assert [number(value) for value in (0.12345, 99.94, 1234.5, -1234.5)] == ["0.123", "99.9", "1,234", "-1,234"]
