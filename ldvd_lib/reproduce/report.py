"""The report of a reproduction, written from what its directory holds: the same files give the same report."""

from dataclasses import asdict
from pathlib import Path

from ldvd_lib import paper
from ldvd_lib._kit.configuration import save_json
from ldvd_lib._kit.files import replacing
from ldvd_lib.metrics.protocol import get as get_protocol
from ldvd_lib.paper.claims import STEPS as CLAIM_STEPS
from ldvd_lib.paper.question import STEPS
from ldvd_lib.reproduce import pictures
from ldvd_lib.reproduce.markdown import bullets, enumeration, grid, number, picture
from ldvd_lib.reproduce.plan import CURVATURE, QUESTION, RUNS, TABLES, Order
from ldvd_lib.reproduce.record import FIGURES, Record
from ldvd_lib.reproduce.report_claims import claims_section
from ldvd_lib.reproduce.report_question import question_section
from ldvd_lib.reproduce.report_tables import table_section
from ldvd_lib.reproduce.work import hardware_of
from ldvd_lib.runs import write_results

REPORT, RESULTS, CLAIMS = "report.md", "report.json", "claims.json"


def write_report(directory: str | Path) -> Path:
    """Write ``report.md``, ``report.json``, ``figures/``, and if asked for ``claims.json`` and ``question.json``.

    Args:
        directory: of a reproduction, complete or not.

    Returns:
        The path of ``report.md``.

    Raises:
        FileNotFoundError: if the directory holds no order.
        ValueError: if a file in it is damaged.
    """
    record = Record.read(directory)
    parts = [*_opening(record)]
    for target in record.targets:
        own = {CURVATURE: claims_section, QUESTION: question_section}.get(target)
        parts += own(record) if own else table_section(record, paper.table(target))
    parts += [*_trainings(record), *_samples(record), *_going_on(record)]
    write_results(record.results, record.directory / RESULTS)
    if CURVATURE in record.targets:
        save_json([asdict(finding) for finding in record.findings], record.directory / CLAIMS)
    path = record.directory / REPORT
    with replacing(path) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def command(order: Order) -> str:
    """The shell command of an order; data and directory are for the reader to fill in."""
    words = ["ldvd reproduce", *order.targets]
    if order.rows:
        words += ["--rows", *order.rows]
    words.append(f"--seeds {','.join(map(str, order.seeds))}{',' * (len(order.seeds) == 1)}")
    options = {
        "preset": order.preset if order.preset != "lite" else None,
        "steps": order.steps,
        "frame-stride": order.changes.get("frame_stride"),
        "batch-size": order.changes.get("batch_size"),
        "precision": order.changes.get("precision"),
        "short": order.short if order.short != "error" else None,
        "protocol": order.protocol if order.protocol != "actions" else None,
        "weights": "WEIGHTS" if get_protocol(order.protocol).network in ("c3d", "i3d") else None,
        "samples": order.samples,
        "repeats": order.repeats,
        "probe-every": order.probe_every,
    }
    words += [f"--{name} {value}" for name, value in options.items() if value is not None]
    words += ["--compile"] * bool(order.changes.get("compile"))
    return " ".join([*words, "--data DATA --out OUT"])


def _opening(record: Record) -> list[str]:
    tables = [target for target in record.targets if target in TABLES]
    title = [f"Table{'s' * (len(tables) > 1)} {enumeration(tables)}"] * bool(tables)
    title += ["the claims about curvature"] * (CURVATURE in record.targets)
    title += ["the question whether a calmer critic teaches better"] * (QUESTION in record.targets)
    parts = [
        f"# Reproduction: {', and '.join(title)}",
        f"{record.counts}. What was asked for:",
        bullets([_in_words(order) for order in record.orders]),
    ]
    if tables:
        parts.append(
            "The paper's values are as it prints them; ours were measured here. The ± of ours is the standard "
            "deviation between trainings with other seeds where there are two or more, and between repetitions of one "
            "training where there is one; another training may differ by more."
        )
    return parts


def _in_words(order: Order) -> str:
    tables = [target for target in order.targets if target in TABLES]
    own = [f"{steps} steps" for study, steps in ((CURVATURE, CLAIM_STEPS), (QUESTION, STEPS)) if study in order.targets]
    default = "the recipes' steps" if tables else enumeration(own)
    words = [
        f"{enumeration(order.targets)}: {f'{order.steps:,} steps' if order.steps else default}",
        f"seed{'s' * (len(order.seeds) > 1)} {enumeration(order.seeds)}",
        *[f"preset {order.preset}"] * bool(tables),
        *[f"rows {enumeration(order.rows)}"] * bool(order.rows),
        *[
            f"{name.replace('_', ' ')} {value}"
            for name, value in order.changes.items()
            if tables or (QUESTION in order.targets and name != "compile")
        ],
        *["short clips played in a loop"] * (order.short == "loop"),
    ]
    return "; ".join(words) + "."


def _trainings(record: Record) -> list[str]:
    rows, total = [], 0.0
    for training, done in record.trainings():
        name = training.directory.as_posix()
        run = record.runs.get(name)
        metrics = run.metrics() if run else {}
        seconds = float(metrics["seconds"][-1]) if metrics else 0.0
        step = run.seconds_of_a_step() if run else None
        total += seconds
        rows.append(
            [
                name,
                f"{done.step:,} of {training.steps:,}",
                number(step) if step else "–",
                number(1 / step) if step else "–",
                f"{seconds / 60:.1f}",
                str(done),
            ]
        )
    machines = [hardware_of(run) or "a machine that was not noted" for run in record.runs.values()]
    counted = [f"{machines.count(machine)} on {machine}" for machine in sorted(set(machines))]
    parts = [
        "## Trainings",
        f"Trained: {'; '.join(counted) or 'nothing yet'}. {total / 3600:.2f} hours in all, with probes and sample "
        "grids, without judging. Seconds a step are the median over a run's log; on a machine that is shared they tell "
        "of the others on it, too.",
        grid(["training", "steps", "seconds a step", "steps a second", "minutes", "state"], rows),
    ]
    given_up = [f"{training}: {done.diverged}" for training, done in record.trainings() if done.diverged]
    if given_up:
        parts += ["Given up: they diverged, and would again. Another seed may fare better:", bullets(given_up)]
    return parts


def _samples(record: Record) -> list[str]:
    """A sheet for each model of the tables, from its first training that has done its steps."""
    sheets: dict[str, str] = {}
    for training, done in record.trainings(RUNS):
        model = training.config.name
        if done.is_trained and model not in sheets:
            run, file = record.runs[training.directory.as_posix()], record.directory / FIGURES / f"samples-{model}.png"
            caption = f"{model}, seed {training.seed}, step {done.step:,}: four clips, eight frames of each"
            sheets[model] = picture(pictures.save_samples(run, file), caption, directory=record.directory)
    return ["## Samples", "Of the first latents of seed 0; nobody chose them.", *sheets.values()] if sheets else []


def _going_on(record: Record) -> list[str]:
    finished = record.counts.is_finished
    return [
        "## To do it again" if finished else "## To go on",
        "\n".join(["```sh", *map(command, record.orders), "```"]),
        "With the same OUT, what is complete is not done again. With `--estimate`, the command says first what it will "
        "cost.",
    ]
