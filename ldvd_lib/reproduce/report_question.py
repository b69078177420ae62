"""The part of a report about the question: does a calmer critic teach a better generator?"""

from dataclasses import asdict
from statistics import median

from ldvd_lib import figures
from ldvd_lib._kit.configuration import save_json
from ldvd_lib.paper import Point, contrasts, correlations
from ldvd_lib.paper.question import CRITICS, KINDS_IN_WORDS
from ldvd_lib.reproduce.markdown import bullets, enumeration, grid, number, picture
from ldvd_lib.reproduce.plan import QUESTION
from ldvd_lib.reproduce.record import FIGURES, Record

POINTS = "question.json"
IN_WORDS = {"free": "free", "svc": "SVC", "sn": "spectral norm"}


def question_section(record: Record) -> list[str]:
    """Every critic's curvature and quality, their rank correlations, and pairs of one kind or one constraint."""
    parts = ["## The question: does a calmer critic teach a better generator?"]
    save_json([asdict(point) for point in record.points], record.directory / POINTS)
    if not record.points:
        return [*parts, "No training is complete yet."]
    parts.append(_conditions(record))
    parts.append(grid(HEADINGS, [cells for critic in CRITICS if (cells := _critic(record.points, critic))], texts=2))
    collapsed = [f"{point.critic} (seed {point.seed})" for point in record.points if point.collapsed]
    if collapsed:
        parts.append(f"Collapsed, and compared with nothing: {enumeration(collapsed)}.")
    loose = [f"{point.critic} (seed {point.seed})" for point in record.points if not point.converged]
    if loose:
        parts.append(f"Not all eigenvalues converged: {enumeration(loose)}.")
    found = correlations(record.points)
    if found:
        parts.append(
            "Spearman's rank correlation over critics, each at the median of its seeds; in brackets a 95 % interval "
            "(bootstrap over critics, and over seeds within them). Positive: the more curved, the worse. Of so many "
            "intervals one in twenty would miss 0 if nothing went with anything; and critics of one kind, or under one "
            "constraint, are alike in more than their curvature."
        )
        parts.append(grid(found.HEADINGS, found.cells(), texts=2))
        caption = "A marker for each critic: the FID of its generator against the leading eigenvalue of its loss"
        drawn = figures.save(figures.plot_question(record.points), record.directory / FIGURES / "question.png")
        parts.append(picture(drawn, caption, directory=record.directory))
    pairs = contrasts(record.points)
    if pairs:
        parts.append(
            "Pairs of one kind, or under one constraint, seed by seed: medians of the first critic's value over the "
            "second's. (MoCoGAN's two differ from 3D in more: one more critic, patches, and no strides in time.)"
        )
        parts.append(grid(pairs.HEADINGS, pairs.cells(), texts=2))
        counted = {
            words: pairs.calmer_is_better(measure)
            for measure, words in (("curvatures", "leading |λ|"), ("steps", "leading |λ| as the step meets it"))
        }
        parts.append(
            bullets(
                [
                    f"By {words}, the calmer of the two is better in {held} of {all_}."
                    for words, (held, all_) in counted.items()
                ]
            )
        )
        parts.append(
            "Half is what chance gives, and these are not independent trials: the seeds of a pair mostly agree, and "
            "many pairs share a critic."
        )
    return parts


HEADINGS = (
    "critic",
    "constraint",
    "FID",
    "KID",
    "flicker / real",
    "leading |λ|",
    "λ⁺",
    "leading |λ|, step",
    "λ⁺, step",
    "steepness",
    "trainings",
)


def _critic(points: list[Point], critic: str) -> list[str]:
    own = [point for point in points if point.critic == critic]
    if not own:
        return []
    columns = ("fid", "kid", "flicker", "leading", "plus", "step_leading", "step_plus", "steepness")
    cells = []
    for column in columns:
        values = [getattr(point, column) for point in own]
        spread = f" ({number(min(values))} to {number(max(values))})" if len(values) > 1 else ""
        cells.append(number(median(values)) + spread)
    dead = sum(point.collapsed for point in own)
    counted = f"{len(own)}" + f", {dead} collapsed" * bool(dead)
    return [KINDS_IN_WORDS[own[0].kind], IN_WORDS[own[0].constraint], *cells, counted]


def _conditions(record: Record) -> str:
    training, run = next(
        (training, record.runs[training.directory.as_posix()])
        for training, done in record.trainings(QUESTION)
        if done.is_complete and not done.diverged
    )
    data, recipe = run.config.data, run.config.model.recipe
    return (
        f"TGAN's generator at lite scale, taught by each critic for {training.steps:,} steps on {data['clips']:,} "
        f"clips ({data['subset']}) of {data['image_size']} px, with one recipe: the {recipe.loss} loss, "
        f"{recipe.optimizer}, a rate of {recipe.generator_rate:g} for the generator and "
        f"{recipe.discriminator_rate:g} for the critic, {recipe.precision}. Every {training.probe_every} steps a probe "
        "of both ends of the Hessian's spectrum, of the same after the optimiser's scaling, and of the critic's "
        f"steepness. Judged by {training.protocol and training.protocol.identity}, {training.samples:,} videos. "
        "Medians over seeds, in brackets the lowest and the highest, of all trainings that did not diverge."
    )
