"""Weights that come with the course: what is there is what the index says, and a run that is added comes back."""

import itertools
import json
import logging
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ldvd_lib import figures, paper, video, zoo
from ldvd_lib._kit import shelf as shelves
from ldvd_lib._kit.configuration import save_json, to_dict
from ldvd_lib._kit.files import save_tensors
from ldvd_lib.gan import VideoGANConfig
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.metrics import Evaluation
from ldvd_lib.paper.claims import CLAIMS
from ldvd_lib.paper.question import CRITICS
from ldvd_lib.runs import Run, by_condition, pretrained, read_results, results_of_run
from ldvd_lib.runs.checkpoint import load_weights, save_checkpoint
from ldvd_lib.runs.run import RunConfig, read_jsonl
from ldvd_lib.runs.sources import digest_weights
from ldvd_lib.training import calibrate_, latents_of_each_class, sample_videos

SCRIPTS = Path(__file__).resolve().parents[2] / "pretrained"
sys.path.insert(0, str(SCRIPTS))

import add_run  # noqa: E402
import add_scores  # noqa: E402

SECTIONS = ["Samples", "Metrics", "Limits", "Licence"]
FACTS = ["Architecture", "Output", "Data", "Steps", "Recipe", "Weights", "Histories"]
# Bytes of pretrained/. A system comes with a generator for each of two data sets, 1 to 3 MB each, and nobody should
# wait for a clone: under 64 MB it takes seconds.
MOST_IN_ALL = 64_000_000


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """An empty directory in place of the checkout's."""
    directory = tmp_path / "shelf"
    directory.mkdir()
    for module in (shelves, pretrained):
        monkeypatch.setattr(module, "directory", lambda: directory)
    return directory


def trained(directory: Path, config: VideoGANConfig, *, step: int = 40, seed: int = 0, probes: int = 4) -> Path:
    """A run directory as training, probing and evaluation leave it, made without training."""
    gan = config.build(seed=seed)
    networks = nn.ModuleDict({"generator": gan.generator, "discriminators": gan.discriminators})
    if config.recipe.average:
        networks["average"] = AveragedModel(gan.generator)
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(seed)
            for parameter in networks["average"].parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        calibrate_(networks["average"].module, videos=16, batch_size=16)
    data = {"image_size": 32, "stride": 1, "subset": "train", "fold": 1, "clips": 216, "frames": 8640}
    save_json(to_dict(RunConfig(config, data, seed=3)), directory / "config.json")
    write_lines(
        directory / "metrics.jsonl",
        ({"step": s, "seconds": s / 2, "real_loss": -s, "real_score": s} for s in range(1, step + 9)),
    )
    record = {"discriminator": "video", "residuals": [0.1, 0.1], "converged": True}
    write_lines(
        directory / "spectrum.jsonl",
        (
            {"step": n * step // probes, **record, "eigenvalues": [n, -1.0], "largest": n, "smallest": -1.0}
            for n in range(1, probes + 1)
        ),
    )
    for at in (step, step - 10):
        evaluation = Evaluation(f"run, step {at}", "actions-v1", "abcd" * 16, 24, "24 windows", (0, 1), {"is": (2, 3)})
        evaluation.save(directory / "evaluations" / f"actions-v1-24-step-{at}" / "evaluation.json")
    save_checkpoint(directory, step, networks, {}, keep=None)
    return directory


def write_lines(path: Path, records) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def files(directory: Path) -> set[str]:
    """Of a directory, without the lock of its index."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("[!.]*") if path.is_file()}


# What is in the checkout


def test_every_file_of_the_checkout_is_the_one_listed() -> None:
    index = shelves.entries()
    paths = {path for path in SCRIPTS.iterdir() if path.name[0] not in "._"}  # no caches, no lock of the index
    assert {path.name for path in paths if path.is_dir()} == {*index, pretrained.REPRODUCTION}
    assert {path.name for path in paths if path.is_file()} == {
        shelves.INDEX,
        "add_run.py",
        "add_scores.py",
        "train_classifier.py",
    }
    kept = (path for path in SCRIPTS.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert sum(path.stat().st_size for path in kept) < MOST_IN_ALL
    for name, entry in index.items():
        path = shelves.verified(name)
        assert path.is_relative_to(SCRIPTS / name)
        assert path.stat().st_size <= add_run.LARGEST_FILE
        assert [path] == list((SCRIPTS / name).rglob("*.safetensors"))
        card = (SCRIPTS / name / shelves.CARD).read_text()
        assert card.startswith(f"# {name}\n")
        assert entry["kind"] in ("classifier", "gan")
        if entry["kind"] == "gan":
            check_model(name, SCRIPTS / name)
        else:
            assert "## Limits" in card
            for share in shares_in(entry["accuracy"]):
                assert f"{share:.1%}" in card
            for what, value in entry.get("limits", {}).items():
                assert (f"{value:.2f}" if what.startswith("confidence") else f"{value:.1%}") in card


def shares_in(accuracy: dict) -> list[float]:
    """All of them, of each order and class, too."""
    return [
        share for value in accuracy.values() for share in (shares_in(value) if isinstance(value, dict) else [value])
    ]


@pytest.mark.parametrize("data", ["actions", "ucf101"])
def test_a_report_of_ours_is_whole(data: str) -> None:
    directory = pretrained.reproduction(data)
    report = (directory / "report.md").read_text()
    pictures = set(re.findall(r"!\[.+?\]\((figures/.+?)\)", report))
    assert files(directory) - {"report.json", "longer.json", "lipschitz.json"} == {
        "report.md",
        "claims.json",
        *pictures,
    }
    findings = paper.read_findings(directory / "claims.json")
    assert {finding.claim for finding in findings} == {claim.number for claim in CLAIMS}
    assert all(len(finding.seeds + finding.collapsed) >= 3 for finding in findings)
    for cells in findings.cells():
        assert f"| {' | '.join(cells)} |" in report.replace("\\|", "|")
    complete, all_of_them = re.search(r"(\d+) of (\d+) trainings complete", report).groups()
    assert all_of_them == complete


def test_our_report_of_the_question_is_whole() -> None:
    directory = pretrained.reproduction("question")
    report = (directory / "report.md").read_text()
    pictures = set(re.findall(r"!\[.+?\]\((figures/.+?)\)", report))
    kept = ("question.json", "float32.json", "float32-before.json")
    assert files(directory) == {"report.md", *kept, *pictures}
    points, exact, before = (paper.read_points(directory / name) for name in kept)
    assert {(point.critic, point.seed) for point in points} == {(name, seed) for name in CRITICS for seed in range(5)}
    assert {point.precision for point in points} == {"bfloat16"}
    assert {point.precision for point in [*exact, *before]} == {"float32"}
    assert {point.steps for point in [*points, *exact, *before]} == {500}
    for table in (paper.correlations(points), paper.contrasts(points)):
        for cells in table.cells():
            assert f"| {' | '.join(cells)} |" in report.replace("\\|", "|")


@pytest.mark.parametrize("data", ["actions", "ucf101"])
def test_our_findings_follow_from_the_spectra_of_the_report(data: str) -> None:
    """The raw spectra of most trainings are not kept; the report has three digits of what the claims need."""
    report = (pretrained.reproduction(data) / "report.md").read_text()
    figures = r"(-?[\d.,]+; -?[\d.,]+; -?[\d.,]+)"
    rows = re.findall(rf"(?m)^\| (\S+) \| {figures} \| {figures} \| {figures} \| {figures} \| 3 of 3 \|$", report)
    assert len(rows) == 9
    ((dead, words),) = re.findall(r"Collapsed: (\S+) \(seeds (.+?)\)\.", report)
    dead_seeds = set(map(int, re.findall(r"\d+", words)))
    curvatures: dict[int, dict[str, paper.Curvature]] = {0: {}, 1: {}, 2: {}}
    for name, *cells in rows:
        numbers = [[float(figure.replace(",", "")) for figure in cell.split(";")] for cell in cells]
        for seed, figure in enumerate(zip(*numbers, strict=True)):
            at_chance_from = 10 if name == dead and seed in dead_seeds else None
            curvatures[seed][name] = paper.Curvature(*figure, True, at_chance_from)
    findings = paper.read_findings(pretrained.reproduction(data) / "claims.json")
    for kept, again in zip(findings, paper.examine(curvatures), strict=True):
        assert again.numbers == pytest.approx(kept.numbers, rel=0.011)
        assert replace(again, numbers=kept.numbers) == kept


def test_our_tables_have_error_bars_and_one_condition() -> None:
    results = read_results(pretrained.reproduction() / "report.json")
    for number in ("2", "5a", "6a"):
        models = {row.model for row in paper.table(number).rows if row.model}
        ours = [result for result in results if result.model in models]
        assert {result.model for result in ours} == models
        conditions = by_condition(ours)
        assert len(conditions) == 1
        assert all(
            len({result.seed for result in trainings}) >= 3 for trainings in next(iter(conditions.values())).values()
        )


def check_model(name: str, directory: Path) -> None:
    """What holds of every model: it loads, its files are those of a run, and small, its card says what it should."""
    entry, run = shelves.entry(name), pretrained.open_run(name)
    model = run.config.model
    assert (entry["model"], entry["preset"], entry["seed"]) == (model.name, model.preset, run.config.seed)
    assert entry["steps"] == run.newest_step
    assert sample_videos(pretrained.load(name), 2).isfinite().all()
    evaluations = {f"{path}/evaluation.json" for path in (directory / "evaluations").glob("*")}
    allowed = {"config.json", "metrics.jsonl", "spectrum.jsonl", "README.md", "samples.png"}
    assert files(directory) - allowed == {
        Path(entry["file"]).relative_to(name).as_posix(),
        *(Path(path).relative_to(directory).as_posix() for path in evaluations),
    }
    for history in directory.glob("*.jsonl"):
        assert len(read_jsonl(history)) <= add_run.MOST_LINES
        assert history.stat().st_size <= add_run.MOST_BYTES
    assert (directory / "samples.png").stat().st_size <= add_run.MOST_OF_SHEET
    card = (directory / "README.md").read_text()
    assert re.findall(r"(?m)^## (.+)$", card) == SECTIONS
    assert re.findall(r"(?m)^\| (\w+) \| .+ \|$", card.partition("```")[0]) == FACTS
    assert "](samples.png)" in card
    assert str(directory.parent.parent) not in card


# A run that is added


@pytest.mark.parametrize("name", ["tgan-f", "mocogan-f"])
def test_in_float32_a_run_comes_back_exactly(name: str, shelf, tmp_path) -> None:
    run = trained(tmp_path / "run", zoo.config(name).with_recipe(generator_rate=0.0007), step=40)
    made = add_run.add(run, shelf, data="actions", float32=True, discriminators=True, note="Bodies stand.")
    assert made == shelf / f"{name}-actions-32"
    check_model(made.name, made)
    generator = pretrained.load(name)
    assert not generator.training
    assert {tensor.dtype for tensor in generator.parameters()} == {torch.float32}
    assert torch.equal(sample_videos(generator, 4), sample_videos(Run.open(run).generator(), 4))
    gan, expected = pretrained.load_gan(name), Run.open(run).gan()
    for key, tensor in expected.state_dict().items():
        assert torch.equal(gan.state_dict()[key], tensor)
    card = (made / "README.md").read_text()
    for said in (f"`{name}`", "216 clips (train), 32 px", "40, seed 3", "0:00:20", "`generator_rate=0.0007`"):
        assert said in card
    for said in ("`actions-v1`", "| is | 2.5 ± 0.71 |", "Bodies stand.", "MIT", "Trained for 40 steps"):
        assert said in card
    assert sorted(path.name for path in shelf.glob("[!.]*")) == ["index.json", made.name]


def test_in_half_precision_no_pixel_changes_visibly(shelf, tmp_path) -> None:
    run = trained(tmp_path / "run", zoo.config("tgan-f"))
    made = add_run.add(run, shelf, data="ucf101", discriminators=True)
    check_model(made.name, made)
    assert shelves.entry(made.name)["precision"] == "float16"
    original = Run.open(run)
    samples, kept = (sample_videos(generator, 4) for generator in (original.generator(), pretrained.load("tgan-f")))
    assert 0 < (samples - kept).abs().max() <= 2 * add_run.VISIBLE / 255
    discriminators = pretrained.load_gan("tgan-f").discriminators.state_dict()
    for key, tensor in original.gan().discriminators.state_dict().items():
        assert torch.equal(discriminators[key], tensor)
    card = (made / "README.md").read_text()
    assert re.search(r"half precision, by which the pixels of 16 samples change by at most [\d.e-]+ of 255", card)
    assert "None of it is included here" in card
    assert "before the weights were put into half precision" in card


@pytest.mark.parametrize(("data", "said"), [("ucf101", "YouTube"), ("weizmann", "four actions of a few people")])
def test_cards_say_whose_the_footage_is(data: str, said: str) -> None:
    entry = {"data": data, "preset": "lite", "steps": 100_000, "clips": "28 clips (train), 32 px"}
    text = add_run.limits(entry) + add_run.LICENCES[data]
    assert said in text and "stay with those who made it" in " ".join(text.split())
    assert add_run.DATA.keys() == add_run.LICENCES.keys() >= {data}


def test_what_half_precision_would_change_stays_as_it_is(shelf, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(add_run, "VISIBLE", 0.0)
    run = trained(tmp_path / "run", zoo.config("tgan-f"))
    made = add_run.add(run, shelf, data="actions")
    assert shelves.entry(made.name)["precision"] == "float32"
    assert torch.equal(sample_videos(pretrained.load("tgan-f"), 2), sample_videos(Run.open(run).generator(), 2))
    assert "float32, since in half precision" in (made / "README.md").read_text()


def test_without_an_average_the_generator_itself_is_kept(shelf, tmp_path) -> None:
    run = trained(tmp_path / "run", zoo.config("tgan-f").with_recipe(average=0.0))
    add_run.add(run, shelf, data="actions", float32=True)
    assert torch.equal(sample_videos(pretrained.load("tgan-f"), 2), sample_videos(Run.open(run).generator(), 2))


def test_an_average_that_was_left_out_leaves_the_generator_of_the_step(shelf, tmp_path) -> None:
    run = trained(tmp_path / "run", zoo.config("tgan-f"))
    made = add_run.add(run, shelf, data="actions", discriminators=True, average=False, float32=True)
    check_model(made.name, made)
    original = Run.open(run)
    assert original.config.model.recipe.average > 0
    kept = sample_videos(pretrained.load("tgan-f"), 2)
    assert torch.equal(kept, sample_videos(original.generator(averaged=False), 2))
    assert not torch.equal(kept, sample_videos(original.generator(), 2))
    assert (
        "discriminators, " in (card := (made / "README.md").read_text()) and "without the generator's average" in card
    )
    weights = shelves.weights_file(made.name)
    assert not any(name.startswith("average.") for name in load_weights(weights))


def test_all_that_takes_a_run_takes_an_entry(shelf, tmp_path) -> None:
    widgets = pytest.importorskip("ldvd_lib.widgets")
    add_run.add(trained(tmp_path / "run", zoo.config("tgan-f")), shelf, data="actions")
    run = pretrained.open_run("tgan-f")
    assert run.metrics()["step"].tolist() == list(range(1, 41))
    assert run.spectrum()["video"]["step"].tolist() == [10, 20, 30, 40]
    assert [(result.model, result.steps) for result in results_of_run(run)] == [("tgan-f", 40)]
    assert figures.plot_training(run).axes
    assert figures.plot_spectrum(run).axes
    assert widgets.SpectrumExplorer(run).steps == [10, 20, 30, 40]


def test_adding_again_replaces(shelf, tmp_path) -> None:
    run = trained(tmp_path / "run", zoo.config("tgan-f"))
    add_run.add(run, shelf, data="actions", discriminators=True)
    add_run.add(run, shelf, data="ucf101")
    before = shelves.entry("tgan-f-ucf101-32")
    made = add_run.add(run, shelf, data="actions")
    assert shelves.entry(made.name)["networks"] == ["generator"]
    assert shelves.entry("tgan-f-ucf101-32") == before
    with safe_open(shelves.verified(made.name), framework="pt") as file:
        assert {key.partition(".")[0] for key in file.keys()} == {"average"}  # noqa: SIM118


def test_what_cannot_be_added_leaves_nothing_behind(shelf, tmp_path, monkeypatch) -> None:
    run = trained(tmp_path / "run", zoo.config("tgan-f"))
    with pytest.raises(FileNotFoundError, match=r"no checkpoint of step 41: it has \[40\]"):
        add_run.add(run, shelf, data="actions", step=41)
    monkeypatch.setattr(add_run, "LARGEST_FILE", 1_000_000)
    with pytest.raises(ValueError, match=r"tgan-f-actions-32 would be 1\.\d MB, and 1 MB is the most: leave out"):
        add_run.add(run, shelf, data="actions", float32=True)
    changed = replace(zoo.config("tgan-f"), discriminators=zoo.config("tgan").discriminators)
    with pytest.raises(ValueError, match="networks are not those of 'tgan-f' in the zoo"):
        add_run.add(trained(tmp_path / "changed", changed), shelf, data="actions")
    assert not files(shelf)


@pytest.mark.slow
def test_the_script_as_a_shell_calls_it(shelf, tmp_path) -> None:
    run = trained(tmp_path / "run", zoo.config("tgan-f"))
    command = [sys.executable, SCRIPTS / "add_run.py", run, "--data", "actions", "--name", "mine", "--out", shelf]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{shelf / 'mine'}\n"
    assert pretrained.load("mine").image_size == 32


# Scores that are added later


def evaluation_of(name: str, **values: tuple[float, ...]) -> Evaluation:
    """As ``ldvd evaluate`` makes it of an entry, by a protocol that the run was not judged by."""
    run = pretrained.open_run(name)
    judged = f"{name}, step {run.newest_step} ({digest_weights(run.generator()):.8})"
    return Evaluation(judged, "fvd-2048-v1", "ef01" * 16, 64, "64 windows", (0,), values)


def test_scores_by_a_further_protocol_are_added_to_directory_card_and_index(shelf, tmp_path) -> None:
    add_run.add(trained(tmp_path / "run", zoo.config("tgan-f")), shelf, data="actions", name="mine")
    card = (shelf / "mine" / "README.md").read_text()
    for fid in (321.5, 123.4):  # the second in place of the first
        evaluation_of("mine", fid=(fid,)).save(tmp_path / "evaluation.json")
        assert add_scores.add("mine", tmp_path / "evaluation.json") == shelf / "mine" / "README.md"
    later = (shelf / "mine" / "README.md").read_text()
    before, after = card.split("## Limits")
    assert later.startswith(before.rstrip()) and later.endswith(f"## Limits{after}")
    added = later.removeprefix(before.rstrip()).split("## Limits")[0]
    assert "Protocol `fvd-2048-v1` (judge ef01ef01…), 1 × 64 samples; real: 64 windows.\n" in added
    assert "| fid | 123.4 |" in added
    assert "half precision" not in added, "it was measured on the weights that are there"
    assert "fid 123.4 (fvd-2048-v1)" in str(pretrained.list_models())
    check_model("mine", shelf / "mine")


def test_scores_of_other_weights_are_refused(shelf, tmp_path) -> None:
    for seed, name in enumerate(("mine", "other")):
        run = trained(tmp_path / name, zoo.config("tgan-f"), seed=seed)
        add_run.add(run, shelf, data="actions", name=name)
    evaluation_of("other", fid=(1.0,)).save(tmp_path / "evaluation.json")
    kept = {path: path.read_bytes() for path in shelf.rglob("*") if path.is_file()}
    with pytest.raises(
        ValueError, match=r"is of other, step 40 \(\w{8}\), and not of the weights of mine: make it with"
    ):
        add_scores.add("mine", tmp_path / "evaluation.json")
    assert {path: path.read_bytes() for path in shelf.rglob("*") if path.is_file()} == kept


# Histories


@pytest.mark.parametrize(("count", "lines"), [(1, 200), (2, 200), (150, 200), (1000, 200), (1000, 7)])
def test_thinning_keeps_the_ends_and_the_order(count: int, lines: int) -> None:
    records = [{"step": 10 * number, "loss": number / 3} for number in range(1, count + 1)]
    thinned = add_run.thin(records, lines=lines)
    kept = [json.loads(line) for line in thinned.lines]
    assert (kept[0], kept[-1]) == (records[0], records[-1])
    assert len(kept) == min(count, lines)
    assert kept == [record for record in records if record in kept]
    gaps = {later["step"] - earlier["step"] for earlier, later in itertools.pairwise(kept)}
    assert not gaps or max(gaps) - min(gaps) <= 10
    assert str(thinned) == (f"{lines} of 1000 lines" if count > lines else f"{count} lines")


def test_thinning_keeps_the_extremes_and_all_discriminators_of_a_step() -> None:
    records = [
        {"step": step, "discriminator": name, "largest": float(step % 7), "smallest": -float(step % 11)}
        for step in range(400)
        for name in ("image", "video")
    ]
    records[2 * 123 + 1]["largest"], records[2 * 321]["smallest"] = 99.0, -99.0
    kept = [json.loads(line) for line in add_run.thin(records).lines]
    assert len(kept) <= add_run.MOST_LINES
    for key, extreme in (("largest", max), ("smallest", min)):
        assert extreme(record[key] for record in kept) == extreme(record[key] for record in records)
    steps = [record["step"] for record in kept]
    assert steps == sorted(steps)
    assert all(steps.count(step) == 2 for step in steps)


def test_thinning_keeps_to_the_size() -> None:
    records = [{"step": step, "eigenvalues": [step / 3] * 50} for step in range(300)]
    kept = add_run.thin(records).lines
    assert 90_000 < sum(map(len, kept)) <= add_run.MOST_BYTES
    assert (json.loads(kept[0])["step"], json.loads(kept[-1])["step"]) == (0, 299)


# What is asked for, and what there is


@pytest.fixture(scope="module")
def made_once(tmp_path_factory) -> Path:
    """A shelf with TGAN-F of both data sets, one with its discriminators, MoCoGAN-F of footage, and a judge."""
    directory = tmp_path_factory.mktemp("three")
    run = trained(directory / "run", zoo.config("tgan-f"))
    add_run.add(run, directory / "shelf", data="ucf101")
    add_run.add(run, directory / "shelf", data="actions", discriminators=True)
    add_run.add(trained(directory / "other", zoo.config("mocogan-f")), directory / "shelf", data="ucf101")
    shelves.save_weights(directory / "shelf", "judge", {"a": torch.ones(2)}, {"kind": "classifier"})
    return directory / "shelf"


@pytest.fixture
def three(shelf, made_once) -> Path:
    """A copy of that, in place of the checkout's."""
    return shutil.copytree(made_once, shelf, dirs_exist_ok=True)


def test_a_name_of_the_zoo_is_enough(three, caplog) -> None:
    def opened(name: str, **wanted: str) -> str:
        return pretrained.open_run(name, **wanted).directory.name

    assert opened("tgan-f") == "tgan-f-actions-32"
    assert opened("tgan-f", data="ucf101") == "tgan-f-ucf101-32"
    assert opened("tgan-f-ucf101-32") == "tgan-f-ucf101-32"
    assert opened("tgan-c0-c1") == "tgan-f-actions-32"
    assert opened("mocogan-f") == "mocogan-f-ucf101-32"
    assert not caplog.records


def test_what_comes_nearest_is_given_with_a_warning(three, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        run = pretrained.open_run("mocogan-f", data="actions", preset="paper")
    assert run.directory.name == "mocogan-f-ucf101-32"
    assert caplog.messages == [
        "we have no mocogan-f with data='actions' and preset='paper': this is mocogan-f-ucf101-32, with data='ucf101' "
        "and preset='lite'. To train the other: ldvd train mocogan-f --preset paper --data DIRECTORY"
    ]
    caplog.clear()
    assert pretrained.open_run("tgan-f", data="ucf101", preset="paper").directory.name == "tgan-f-ucf101-32"
    assert "no tgan-f with preset='paper'" in caplog.messages[0]


def test_what_is_not_there_is_told_with_what_to_do(three) -> None:
    with pytest.raises(ValueError, match=r"'tgan-tsm' was not trained .* train it with `ldvd train tgan-tsm"):
        pretrained.load("tgan-tsm")
    with pytest.raises(ValueError, match=r"is called 'tgan-f-action' \(there .*\): did you mean 'tgan-f-actions"):
        pretrained.load("tgan-f-action")
    with pytest.raises(ValueError, match="'judge' is no video GAN but a classifier"):
        pretrained.load("judge")
    with pytest.raises(ValueError, match=r"without its discriminators; with them there are \['tgan-f-actions-32'\]"):
        pretrained.load_gan("tgan-f", data="ucf101")


def test_of_several_trainings_that_suit_the_longest_is_given(shelf, tmp_path) -> None:
    for steps, name in ((20, "tgan-f-a"), (60, "tgan-f-b"), (40, "tgan-f-c")):
        run = trained(tmp_path / name, zoo.config("tgan-f"), step=steps)
        add_run.add(run, shelf, data="ucf101" if steps == 60 else "actions", name=name)
    assert pretrained.open_run("tgan-f").directory.name == "tgan-f-c"
    assert pretrained.open_run("tgan-f", data="ucf101").directory.name == "tgan-f-b"
    assert pretrained.open_run("tgan-f-a").directory.name == "tgan-f-a"


def test_of_several_trainings_discriminators_come_from_one_that_has_them(shelf, tmp_path) -> None:
    for steps, name in ((20, "tgan-f-short"), (60, "tgan-f-long")):
        run = trained(tmp_path / name, zoo.config("tgan-f"), step=steps)
        add_run.add(run, shelf, data="actions", name=name, discriminators=steps == 20)
    assert pretrained.open_run("tgan-f").directory.name == "tgan-f-long"
    short = Run.open(tmp_path / "tgan-f-short").gan().discriminators.state_dict()
    for key, tensor in pretrained.load_gan("tgan-f").discriminators.state_dict().items():
        assert torch.equal(tensor, short[key])


def test_a_report_that_is_not_there(shelf) -> None:
    (shelf / pretrained.REPRODUCTION / "actions").mkdir(parents=True)
    assert pretrained.reproduction() == shelf / "reproduction" / "actions"
    with pytest.raises(FileNotFoundError, match=r"reports of ours are on \['actions'\]; `ldvd reproduce`"):
        pretrained.reproduction("ucf101")


def test_the_list_says_what_there_is(three) -> None:
    table = pretrained.list_models()
    assert [row.name for row in table] == ["tgan-f-ucf101-32", "tgan-f-actions-32", "mocogan-f-ucf101-32"]
    assert (table[1].networks, table[1].scores) == ("generator and discriminators", "is 2.5 (actions-v1)")
    assert repr(table).splitlines()[2].split()[:4] == ["tgan-f-actions-32", "tgan-f", "lite", "actions:"]
    assert table._repr_html_().count("<tr>") == 4


# Files


def test_what_is_saved_is_loaded(shelf) -> None:
    weights = {"a": torch.randn(3, 2).T, "b": torch.arange(4)}
    path = shelves.save_weights(shelf, "first", weights, {"steps": 3})
    shelves.save_weights(shelf, "second", {"c": torch.ones(1)}, {})
    tensors, entry = shelves.load_weights("first")
    assert tensors.keys() == weights.keys()
    assert all(torch.equal(tensors[name], weights[name]) for name in weights)
    assert (entry["file"], entry["steps"]) == ("first/weights.safetensors", 3)
    with safe_open(path, framework="pt") as file:
        assert set(file.keys()) == {"a", "b"}
    assert files(shelf) == {"first/weights.safetensors", "index.json", "second/weights.safetensors"}


def test_without_a_checkout(shelf) -> None:
    for use in (pretrained.list_models, lambda: pretrained.load("tgan-f"), lambda: shelves.load_weights("first")):
        with pytest.raises(FileNotFoundError, match="install the course from a checkout"):
            use()


def test_what_is_not_as_listed_is_refused(three) -> None:
    with pytest.raises(
        ValueError, match=r"no weights are called 'juge': did you mean 'judge'\? The choices are \['judge', "
    ):
        shelves.load_weights("juge")
    path = shelves.verified("tgan-f-actions-32")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    for use in (pretrained.load, pretrained.load_gan, pretrained.open_run):
        with pytest.raises(ValueError, match=r"SHA-256 differs\): restore it \(`git checkout pretrained`"):
            use("tgan-f")
    path.unlink()
    for use in (lambda: pretrained.load("tgan-f"), pretrained.list_models):
        with pytest.raises(FileNotFoundError, match=r"which index\.json lists, is missing: restore it"):
            use()


def test_the_file_that_was_verified_is_the_one_that_is_loaded(three) -> None:
    """And not a newer step that lies beside it."""
    expected = pretrained.load_gan("tgan-f").state_dict()
    verified = shelves.verified("tgan-f-actions-32").parent
    planted = verified.with_name("step_0000041")
    shutil.copytree(verified, planted)
    tensors = {name: torch.zeros_like(tensor) for name, tensor in shelves.load_weights("tgan-f-actions-32")[0].items()}
    save_tensors(planted / "weights.safetensors", tensors)
    run = pretrained.open_run("tgan-f")
    assert (run.newest_step, run.checkpoints) == (40, [verified])
    assert Run.open(run.directory).newest_step == 41
    for gan in (pretrained.load_gan("tgan-f"), run.gan()):
        assert all(torch.equal(gan.state_dict()[name], tensor) for name, tensor in expected.items())
    weight = next(pretrained.load("tgan-f").parameters())
    assert torch.equal(weight, next(run.generator().parameters())) and weight.abs().sum() > 0


ENTRY = "tgan-f-actions-32"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda index: index[ENTRY].pop("file"),
            rf"the entry '{ENTRY}' must have a 'file' in the directory {ENTRY}/ and",
        ),
        (lambda index: index[ENTRY].update(file="../weights.safetensors"), "must have a 'file' in the directory"),
        (lambda index: index[ENTRY].update(file=f"{ENTRY}/../judge/weights.safetensors"), "must have a 'file' in the"),
        (lambda index: index[ENTRY].update(sha256=None), "and its 'sha256'"),
        (lambda index: index.update({ENTRY: []}), "must have a 'file'"),
        (lambda index: index[ENTRY].pop("preset"), rf"{ENTRY} lacks the key\(s\) \['preset'\]"),
        (lambda index: index[ENTRY].update(steps="many"), rf"{ENTRY}: steps is 'many', a str"),
        (lambda index: index[ENTRY].update(networks=["generator", 3]), rf"{ENTRY}: networks\[1\] is 3"),
        (lambda index: index[ENTRY].update(metrics=[3]), rf"{ENTRY}: metrics\[0\] is 3"),
        (lambda index: index[ENTRY].update(metrics=[{"values": {}}]), rf"{ENTRY}, metrics lacks the key"),
        (lambda index: index[ENTRY].update(metrics=[{"values": {"is": []}, "protocol": "a"}]), "a metric has no value"),
    ],
)
def test_an_odd_entry_of_the_index_is_named(three, change, message: str) -> None:
    index = json.loads((three / "index.json").read_text())
    change(index)
    (three / "index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=rf"index\.json.*{message}"):
        pretrained.list_models()


def test_an_index_that_is_no_index_is_named(three) -> None:
    for content in ("", "[]", "null", "{"):
        (three / "index.json").write_text(content)
        with pytest.raises(ValueError, match=r"index\.json"):
            pretrained.load("tgan-f")


def test_a_sheet_of_busy_samples_is_cut_to_size(tmp_path, monkeypatch) -> None:
    class Noise(VideoGenerator):
        """Videos that no palette makes small."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def sample_latents(self, n: int, *, generator: torch.Generator) -> torch.Tensor:
            return torch.rand(n, 3 * 8 * 16 * 16, generator=generator) * 2 - 1

        def forward(self, latents: torch.Tensor) -> torch.Tensor:
            return latents.unflatten(1, (3, 8, 16, 16)) + self.weight

    heights = {}
    for most in (1_000_000, 20_000):
        monkeypatch.setattr(add_run, "MOST_OF_SHEET", most)
        add_run.save_sheet(Noise(), tmp_path / "sheet.png")
        assert (tmp_path / "sheet.png").stat().st_size <= most
        heights[most] = Image.open(tmp_path / "sheet.png").height
    assert 0 < heights[20_000] < heights[1_000_000]


def test_the_sheet_of_who_is_told_classes_has_a_row_for_each(tmp_path, monkeypatch) -> None:
    generator = zoo.build("dvd-gan-1d", num_categories=3).generator.eval()
    generator.class_names = ("sit", "run", "jump")
    drawn = []
    blank = Image.new("RGB", (8, 8))
    monkeypatch.setattr(video, "contact_sheet", lambda videos, **options: drawn.append((videos, options)) or blank)
    add_run.save_sheet(generator, tmp_path / "sheet.png")
    videos, options = drawn[0]
    assert options["labels"] == generator.class_names
    torch.testing.assert_close(videos, sample_videos(generator, latents=latents_of_each_class(generator)))
