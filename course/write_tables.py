"""Write the tables of `systems.md` from what they are about: the zoo, the benchmark's times, `pretrained/`, the papers.

Usage: python course/write_tables.py

Each table stands between two comments in the page, ``<!-- table: NAME -->`` and ``<!-- end of table -->``; all other
text stays as it is. Run it after an entry of ``pretrained/`` has changed, or after
``python benchmarks/systems.py --out pretrained/reproduction/systems/steps.json``. A test compares.
"""

import re
import statistics
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import torch

from ldvd_lib import anatomy, paper, zoo
from ldvd_lib._kit import shelf
from ldvd_lib._kit.configuration import load_json
from ldvd_lib.anatomy import Anatomy
from ldvd_lib.metrics import Evaluation
from ldvd_lib.runs import Measured, measured, pretrained, results_of_run

PAGE = Path(__file__).with_name("systems.md")
TIMES = "systems", "steps.json"  # in pretrained/reproduction
REFERENCE = "tgan"  # whose step is 1
SYSTEMS = {  # of the tables of costs and of papers, and what they are called there
    "vgan": "VGAN",
    "tgan": "TGAN",
    "mocogan": "MoCoGAN",
    "provgan": "ProVGAN",
    "tgan-f": "TGAN-F",
    "tgan-tsm": "TGAN-TSM",
    "mocogan-f": "MoCoGAN-F",
    "tganv2": "TGANv2",
    "dvd-gan": "DVD-GAN",
    "dvd-gan-1d": "DVD-GAN with TGAN's motion",
    "ssw-gan-1": "SSW-GAN, stage 1",
    "ssw-gan-2": "SSW-GAN, stage 2",
}
PUBLISHED_AS = {"dvd-gan": "dvd-gan-128"}  # system → its row in papers, if that is of another size
_MARKED = re.compile(r"(<!-- table: (?P<name>[a-z0-9]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def times() -> dict[str, list[float]]:
    """Model → seconds of its steps, as the benchmark measured them."""
    directory, file = TIMES
    return load_json(pretrained.reproduction(directory) / file)["seconds"]


@cache
def anatomies(name: str) -> tuple[Anatomy, ...]:
    """What the networks of a lite model cost, the generator first."""
    with torch.device("meta"):
        gan = zoo.build(name)
    return tuple(anatomy.dissect(network) for network in gan.networks.values())


def costs() -> str:
    """Parameters, arithmetic, memory and the time of a step of each lite model."""
    seconds = {name: statistics.median(steps) for name, steps in times().items()}
    rows = []
    for name, system in SYSTEMS.items():
        generator, *judges = anatomies(name)
        arithmetic = [network.multiply_adds for network in (generator, *judges)]
        kept = sum(network.activation_bytes for network in (generator, *judges))
        rows.append(
            (
                system,
                f"{generator.parameters:,}",
                " + ".join(f"{judge.parameters:,}" for judge in judges),
                f"{arithmetic[0] / 1e6:,.1f}",
                f"{sum(arithmetic[1:]) / 1e6:,.1f}",
                f"{kept / 2**20:.1f}",
                f"{seconds[name]:.2f}",
                f"{seconds[name] / seconds[REFERENCE]:.1f}",
            )
        )
    headings = (
        "system",
        "parameters of G",
        "of D",
        "multiply-adds of G, millions",
        "of D",
        "kept of a clip, MiB",
        "a step, s",
        f"× {SYSTEMS[REFERENCE]}",
    )
    return as_markdown(headings, rows, right=range(1, len(headings)))


def scores(data: str) -> str:
    """What the judge of the data says of all generators that were trained on them, and of real clips held out."""
    entries = {name: entry for name, entry in shelf.entries().items() if entry.get("data") == data}
    order = list(zoo.ENTRIES)
    rows = []
    for name in sorted(entries, key=lambda name: order.index(entries[name]["model"])):
        run = pretrained.open_run(name)
        for result in results_of_run(run):
            if result.protocol == f"{data}-v1":
                told = run.config.model.generator.options.get("num_categories", 0)
                figures = measured([result])
                rows.append(
                    (
                        f"[`{name}`](../pretrained/{name}/README.md)",
                        "yes" if told else "no",
                        entries[name]["clips"].partition(" ")[0],
                        f"{result.steps:,}",
                        f"{run.metrics()['seconds'][-1] / 3600:.1f}",
                        str(figures["fid"]),
                        str(figures["is"]),
                    )
                )
    real = Evaluation.load(pretrained.reproduction("held-out") / f"{data}-{data}.json").values
    of_real = [
        str(Measured(statistics.fmean(values), statistics.stdev(values), 1, len(values)))
        for values in (real["fid"], real["is"])
    ]
    rows.append(("real clips, held out", "–", "–", "–", "–", *of_real))
    headings = (
        "generator",
        "told the class",
        "clips",
        "steps",
        "hours",
        "FID (lower is better)",
        "IS (higher is better)",
    )
    return as_markdown(headings, rows, right=range(2, 7))


def published() -> str:
    """What papers report of the systems on UCF-101; of the library's tables, the first that has a system counts."""
    lines = [(number, row) for number in ("8", "9", "published") for row in paper.table(number).rows]
    rows = []
    for name, system in SYSTEMS.items():
        model = PUBLISHED_AS.get(name, name)
        found = [(number, row) for number, row in lines if row.model == model]
        if found:
            number, row = found[0]
            # Not all tables say how large the clips are; where none does, they are the LDVD paper's own.
            sizes = [size for _, row in found for size in re.findall(r"\d+×\d+×\d+", row.label)]
            clip = sizes[0] if sizes else "16×64×64"
            told = "yes" if "labels" in row.label else "no"
            rows.append((system, clip, told, str(row.values["is"]), row.source or f"LDVD paper, Table {number}"))
    headings = ("system", "clip", "told the class", "IS on UCF-101 (higher is better)", "where we read it")
    return as_markdown(headings, rows, right=(3,))


def as_markdown(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """A table; the columns whose numbers are in `right` are aligned right."""
    marks = ["--:" if column in set(right) else "---" for column in range(len(headings))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (headings, marks, *rows))


TABLES = {
    "costs": costs,
    "actions": lambda: scores("actions"),
    "weizmann": lambda: scores("weizmann"),
    "published": published,
}


def written(page: str) -> str:
    """The page with its tables as they should be."""
    return _MARKED.sub(lambda match: f"{match[1]}\n{TABLES[match['name']]()}\n{match[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
