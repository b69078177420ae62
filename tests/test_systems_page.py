"""The page that sets the systems side by side says what files and library say, number by number."""

import importlib
import json
import re
import statistics

import pytest

from ldvd_lib import paper, zoo
from ldvd_lib._kit import shelf
from ldvd_lib.runs import measured, pretrained, results_of_run


@pytest.fixture(scope="module")
def text(repository) -> str:
    return (repository / "course" / "systems.md").read_text()


@pytest.fixture(scope="module")
def page(text) -> str:
    """Without line breaks."""
    return " ".join(text.split())


@pytest.fixture
def tables(repository, monkeypatch):
    """What writes the tables of the page."""
    monkeypatch.syspath_prepend(repository / "course")
    return importlib.import_module("write_tables")


@pytest.fixture
def benchmark(repository, monkeypatch):
    """What measured the times."""
    monkeypatch.syspath_prepend(repository / "benchmarks")
    return importlib.import_module("systems")


@pytest.fixture(scope="module")
def steps() -> dict:
    return json.loads((pretrained.reproduction("systems") / "steps.json").read_text())


def rows(text: str, table: str) -> dict[str, list[str]]:
    """The lines of a table of the page by their first cell."""
    _, _, rest = text.partition(f"<!-- table: {table} -->\n")
    section, _, _ = rest.partition("<!-- end of table -->")
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {first: others for first, *others in cells}


@pytest.mark.parametrize("name", [pytest.param("costs", marks=pytest.mark.slow), "actions", "weizmann", "published"])
def test_a_table_is_that_of_the_files(text, tables, name):
    """If not: python course/write_tables.py."""
    assert f"<!-- table: {name} -->\n\n{tables.TABLES[name]()}\n<!-- end of table -->\n" in text


def test_the_page_has_all_tables(text, tables):
    assert re.findall(r"<!-- table: (\w+) -->", text) == list(tables.TABLES)


def test_tables_are_written_where_the_page_has_them(tables, monkeypatch):
    monkeypatch.setattr(tables, "TABLES", {"one": lambda: "| 1 |\n", "two": lambda: "| 2 |\n"})
    page = "Before.\n\n<!-- table: {} -->\n{}<!-- end of table -->\n\nBehind.\n"
    old = page.format("two", "\n| 3 |\n\n") + page.format("one", "")
    assert tables.written(old) == page.format("two", "\n| 2 |\n\n") + page.format("one", "\n| 1 |\n\n")


def test_every_system_is_in_the_zoo_and_was_timed(text, tables, benchmark, steps):
    assert list(rows(text, "costs")) == list(tables.SYSTEMS.values())
    assert list(tables.SYSTEMS) == list(benchmark.MODELS)
    assert set(tables.SYSTEMS) == set(steps["seconds"]) <= set(zoo.ENTRIES)
    ideas = set(re.findall(r"(?m)^\| \*\*(.+?)\*\*", text))
    assert len(ideas) == 9
    assert all(any(system.startswith(idea) for system in tables.SYSTEMS.values()) for idea in ideas)


@pytest.mark.parametrize("data", ["actions", "weizmann"])
def test_all_generators_that_were_judged_are_there_with_their_scores(text, data):
    told = rows(text, data)
    judged = {
        name
        for name, entry in shelf.entries().items()
        if any(metrics["protocol"] == f"{data}-v1" for metrics in entry.get("metrics", ()))
    }
    assert len(told) == len(judged) + 1
    for name in judged:
        (scored,) = (one for one in results_of_run(pretrained.open_run(name)) if one.protocol == f"{data}-v1")
        figures = measured([scored])
        _, _, steps, _, *scores = told[f"[`{name}`](../pretrained/{name}/README.md)"]
        assert steps == f"{scored.steps:,}"
        assert scores == [str(figures["fid"]), str(figures["is"])]
        assert (scored.samples, len(scored.values["fid"])) == (1024, 3)
    assert "3 × 1,024 clips" in text


def test_what_is_said_of_real_people_follows_from_the_table(text):
    told = rows(text, "weizmann")
    fids = {name: float(cells[4].partition(" ")[0]) for name, cells in told.items()}
    nearer = [name for name, fid in fids.items() if fid < fids["real clips, held out"]]
    assert [name[2:9] for name in nearer] == ["dvd-gan"]


def test_what_papers_report_is_as_the_library_has_it(text, page, tables):
    told = rows(text, "published")
    assert set(told) <= set(tables.SYSTEMS.values())
    for system, number, model in (("TGANv2", "9", "tganv2"), ("TGAN-TSM", "8", "tgan-tsm"), ("VGAN", "8", "vgan")):
        (row,) = (row for row in paper.table(number).rows if row.model == model)
        assert told[system][2] == str(row.values["is"])
    assert {system for system, cells in told.items() if cells[1] == "yes"} == {"DVD-GAN"}
    assert [told[system][0] for system in ("VGAN", "TGAN", "TGANv2")] == ["32×64×64", "16×64×64", "16×192×192"]
    of_data = {row.label: row.values["is"].mean for row in paper.table("7").rows}
    real = [of_data[f"{size} px, centre crop"] for size in (64, 128)]
    assert "{} ± .21 at 64 pixels, {} ± .21 at 128".format(*real) in page
    own = [
        next(row.values["is"].mean for row in paper.table(number).rows if row.model == model)
        for number, model in (("3a", "tgan"), ("2", "mocogan"))
    ]
    authors = [told[system][2].partition(" ")[0] for system in ("TGAN", "MoCoGAN")]
    said = "for TGAN and MoCoGAN it measured {} and {} itself, where their authors report {} and {}."
    assert said.format(*own, *authors) in page


@pytest.mark.slow
def test_what_is_said_of_costs_follows_from_them(page, tables, steps):
    medians = {name: statistics.median(seconds) for name, seconds in steps["seconds"].items()}
    names = ("tgan", "tgan-f", "tgan-tsm", "provgan", "tganv2", "dvd-gan", "dvd-gan-1d")
    of = {}  # name → parameters and multiply-adds of the judges, multiply-adds of all
    for name in names:
        generator, *judges = tables.anatomies(name)
        arithmetic = sum(judge.multiply_adds for judge in judges)
        of[name] = sum(judge.parameters for judge in judges), arithmetic, generator.multiply_adds + arithmetic

    def percent(name: str, quantity: int) -> int:
        return round(100 * of[name][quantity] / of["tgan"][quantity])

    def times(name: str) -> tuple[str, str]:
        """By multiply-adds, and by time."""
        return f"{of[name][2] / of['tgan'][2]:.1f}", f"{medians[name] / medians['tgan']:.1f}"

    said = (
        f"TGAN-F's judge has {percent('tgan-f', 0)} % of the parameters of TGAN's and {percent('tgan-f', 1)} % of its "
        f"multiply-adds; TGAN-TSM's has {percent('tgan-tsm', 0)} %, and {percent('tgan-tsm', 1)} %",
        f"whole steps take {times('tgan-f')[1]} and {times('tgan-tsm')[1]} of TGAN's",
        "ProVGAN is {} TGANs, and its step takes {}; TGANv2 is {}, and takes {}.".format(
            *times("provgan"), *times("tganv2")
        ),
        "{} by multiply-adds, {} by time; with TGAN's temporal generator in their place, {} and {}.".format(
            *times("dvd-gan"), *times("dvd-gan-1d")
        ),
    )
    for sentence in said:
        assert sentence in page
    assert of["tgan"][1] < of["tgan"][2] / 2, "most of the arithmetic is the generator's"


def test_how_sure_the_times_are_is_as_measured(page, steps):
    (number,) = {len(seconds) for seconds in steps["seconds"].values()}
    worst = max(max(seconds) / statistics.median(seconds) - 1 for seconds in steps["seconds"].values())
    assert f"of {number} steps of a system took up to {100 * worst:.0f} % longer than their median" in page
    assert f"batches of {steps['batch_size']} for all" in page


def test_sources_are_numbered_as_they_are_cited(text):
    said, _, sources = text.partition("### Sources")
    cited = [int(number) for number in re.findall(r"\[(\d+)\](?!\()", said)]
    listed = [int(number) for number in re.findall(r"(?m)^(\d+)\. ", sources)]
    assert listed == list(range(1, len(listed) + 1))
    assert set(cited) == set(listed)
    link = re.compile(r"\]\(https://(arxiv\.org/abs/\d{4}\.\d{5}|openreview\.net/)")
    assert all(link.search(source) for source in re.split(r"(?m)^\d+\. ", sources)[1:])
