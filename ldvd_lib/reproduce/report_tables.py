"""The part of a report about a table of the paper: its figures beside ours."""

from ldvd_lib import figures
from ldvd_lib.figures import draw_table
from ldvd_lib.metrics.protocol import PROTOCOLS
from ldvd_lib.paper import Row, Table, compare
from ldvd_lib.reproduce.markdown import bullets, enumeration, grid, picture
from ldvd_lib.reproduce.plan import RUNS
from ldvd_lib.reproduce.record import FIGURES, Record
from ldvd_lib.runs import Condition, Measured, by_condition, collapsed_models

EXTRA = {
    "is": "IS",
    "fid": "FID",
    "fvd": "FVD",
}  # metrics of ours that are shown even if the paper's table has no such column


def table_section(record: Record, table: Table) -> list[str]:
    """The paper's figures beside ours, once for each condition under which ours were measured."""
    parts = [f"## {table.heading}"]
    models = {row.model for row in table.rows if row.model}
    conditions = {condition: figures for condition, figures in record.conditions().items() if models & set(figures)}
    for number, (condition, measured) in enumerate(conditions.items(), start=1):
        if len(conditions) > 1:
            parts.append(f"### Condition {number} of {len(conditions)}: {condition}")
        parts += _under_one_condition(record, table, condition, measured, number)
    if not conditions:
        parts.append(_side_by_side(record, table, None, {}))
    left_out = record.plan.left_out[table.number]
    if left_out:
        parts.append("Not trained: " + "; ".join(f"{label} ({reason})" for label, reason in left_out.items()) + ".")
    return [*parts, f"About the paper's values: {table.note}"]


def _under_one_condition(
    record: Record, table: Table, condition: Condition, measured: dict[str, dict[str, Measured]], number: int
) -> list[str]:
    protocol = PROTOCOLS.get(condition.protocol.rpartition("-v")[0])
    about = f" ({protocol.description})" if protocol else ""
    parts = [
        f"Ours: preset {condition.preset}, {condition.steps:,} steps, on {condition.data}; judged by "
        f"{condition.protocol}{about}, {condition.samples:,} videos a repetition, against {condition.real}.",
        _side_by_side(record, table, condition, measured),
    ]
    lines = []
    for column in table.columns:
        comparison = compare(table, measured, column.key, whose="these runs")
        if comparison:
            others = [model for model in comparison.models if model != comparison.baseline]
            ratios = [f"{model} {comparison.paper[model]:.3f} / {comparison.ours[model]:.3f}" for model in others]
            lines += [
                comparison.sentence,
                f"{column.title} over that of {comparison.baseline}, paper / ours: {', '.join(ratios)}.",
            ]
            single = [model for model in comparison.models if measured[model][column.key].trainings == 1]
            if single:
                lines.append(
                    f"{column.title}: there is only one training{' each' * (len(single) > 1)} of "
                    f"{enumeration(single)}. How far others would be from it is not known, and more pairs may count as "
                    "apart than should."
                )
    shown = by_condition(record.results)[condition]
    changes = {shown[row.model][0].changes_in_words for row in table.rows if row.model in shown} - {""}
    reasons = [*condition.unlike_the_paper(), *(f"another recipe ({words})" for words in sorted(changes))]
    lines.append(
        f"Only order and ratios can be compared, since ours are not on the paper's scale: {'; '.join(reasons)}."
        if reasons
        else "Nothing is known that keeps ours from being on the paper's scale."
    )
    dead = collapsed_models({row.model: shown[row.model] for row in table.rows if row.model in shown})
    parts += [bullets(lines), *_pairs(table, measured, dead)]
    file = record.directory / FIGURES / f"table-{table.number}{f'-{number}' if number > 1 else ''}.png"
    figures.save(draw_table(table, measured, str(condition), whose="ours", collapsed=dead), file)
    caption = f"{table.heading}: the paper's values, and ours on a scale of their own"
    return [*parts, picture(file, caption, directory=record.directory)]


def _pairs(table: Table, measured: dict[str, dict[str, Measured]], dead: tuple[str, ...]) -> list[str]:
    """How many pairs are in the paper's order: with and without what collapsed, and with bars of the paper's kind."""
    has_seeds = any(figure.trainings > 1 for scores in measured.values() for figure in scores.values())
    everything, alive = "all rows", f"all but {enumeration(dead)} (collapsed)" if dead else "all rows"
    between, of_samples = "trainings" if has_seeds else "samples", "samples, like the paper's"
    asked: dict[tuple[str, str], tuple[tuple[str, ...], bool]] = {(everything, between): ((), False)}
    asked[alive, between] = (dead, False)
    if has_seeds:
        asked[alive, of_samples] = (dead, True)
    rows = []
    for column in table.columns:
        for words, (without, same_kind) in asked.items():
            found = compare(table, measured, column.key, without=without, of_samples=same_kind)
            if found and len(asked) > 1:
                rows.append([column.title, *words, *map(str, (found.agreeing, found.disagreeing, found.open))])
    headings = ["pairs by", "of", "our bars: between", "same order", "other order", "too close to call"]
    return [grid(headings, rows, texts=3)] * bool(rows)


def _side_by_side(
    record: Record, table: Table, condition: Condition | None, measured: dict[str, dict[str, Measured]]
) -> str:
    """The paper's value and ours in turn, then those of our metrics that the paper's table does not have."""
    columns = [column for column in table.columns if column.key != "frames"]
    known = {metric for row in table.rows for metric in measured.get(row.model, {})}
    extra = [key for key in EXTRA if key in known and key not in [column.key for column in columns]]
    headings = ["row", "model"]
    headings += [text for column in columns for text in (f"{column.title}, paper", f"{column.title}, ours")]
    headings += [f"{EXTRA[key]}, ours" for key in extra] + ["trainings"]
    rows = []
    for row in table.rows:
        ours = measured.get(row.model, {})
        cells = [row.heading, row.model or "–"]
        for column in columns:
            cells += [str(row.values[column.key] or "–"), str(ours.get(column.key, "–"))]
        cells += [str(ours.get(key, "–")) for key in extra]
        rows.append([*cells, _how_many(record, row, condition, ours)])
    return grid(headings, rows, texts=2)


def _how_many(record: Record, row: Row, condition: Condition | None, ours: dict[str, Measured]) -> str:
    """How many trainings a row is from, how many were asked for, which were given up, and how many collapsed."""
    count = max((figure.trainings for figure in ours.values()), default=0)
    asked = [
        (training, done)
        for training, done in record.trainings(RUNS)
        if training.config.name == row.model and (condition is None or training.steps == condition.steps)
    ]
    given_up = "".join(f"; seed {training.seed} diverged" for training, done in asked if done.diverged)
    dead = sum(
        result.collapsed for result in record.results if result.model == row.model and result.condition == condition
    )
    fewer = f"{count} of {len(asked)}{given_up}" if count < len(asked) else str(count or "–")
    return fewer + f"; {dead} collapsed" * bool(dead)
