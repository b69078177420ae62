"""The part of a report about the claims on curvature."""

from ldvd_lib import figures
from ldvd_lib.reproduce import pictures
from ldvd_lib.reproduce.markdown import enumeration, grid, number, picture
from ldvd_lib.reproduce.plan import CURVATURE
from ldvd_lib.reproduce.record import FIGURES, Record

COLLAPSED = (
    "Such a critic did no better than chance at the end of its log: its loss was that of one score for all clips, and "
    "the mean scores of real and generated ones were not apart. It is compared with nothing."
)


def claims_section(record: Record) -> list[str]:
    """Each claim with its ratios, seed by seed, and the spectra that they come from."""
    parts = ["## Curvature: the claims of Figures 3, 4, 5 and 7"]
    if not record.curvatures:
        return [*parts, "No training is complete yet."]
    parts.append(_conditions(record))
    home, findings = record.directory / FIGURES, record.findings
    if findings:
        parts.append(grid(findings.HEADINGS, findings.cells(), texts=findings.TEXTS))
        parts += _collapsed(record)
        caption = (
            "The claims about curvature: a diamond for each training, or pair of trainings with the same seed; a claim "
            "holds on the grey side of its bound"
        )
        drawn = figures.save(figures.plot_findings(findings), home / "claims.png")
        parts.append(picture(drawn, caption, directory=record.directory))
    names = list(dict.fromkeys(name for by_name in record.curvatures.values() for name in by_name))
    headings = ["discriminator", "λ⁺", "λ⁻", "median leading |λ|", "last probe / first", "all converged"]
    parts.append("Seed by seed, of all probes of a run:")
    parts.append(grid(headings, [_spectrum(record, name) for name in names]))
    for caption, file in pictures.save_spectra(record.probed, home).items():
        parts.append(picture(file, caption, directory=record.directory))
    return parts


def _conditions(record: Record) -> str:
    training = next(training for training, done in record.trainings(CURVATURE) if done.is_trained)
    data = record.probed[0].config.data
    seeds = enumeration([*record.curvatures])
    return (
        f"Lite models, {training.steps:,} steps on {data['clips']:,} clips ({data['subset']}) of {data['image_size']} "
        f"px, every frame taken; every {training.probe_every} steps a probe of the ten leading eigenvalues of each "
        f"discriminator's Hessian; seeds {seeds}. The paper's claims are of 100,000 steps at 64 px: what holds here "
        "need not hold there, nor the other way round. TGAN and TGAN-F are trained with one recipe, by which both "
        "learn, and so are not those of the tables."
    )


def _spectrum(record: Record, name: str) -> list[str]:
    curvatures = [by_name[name] for by_name in record.curvatures.values() if name in by_name]
    columns = (
        "; ".join(number(getattr(curvature, measure)) for curvature in curvatures)
        for measure in ("plus", "minus", "median", "growth")
    )
    return [name, *columns, f"{sum(curvature.converged for curvature in curvatures)} of {len(curvatures)}"]


def _collapsed(record: Record) -> list[str]:
    """Which discriminators collapsed, from which seeds; nothing if none did."""
    seeds: dict[str, list[int]] = {}
    for seed, by_name in record.curvatures.items():
        for name, curvature in by_name.items():
            if curvature.is_collapsed:
                seeds.setdefault(name, []).append(seed)
    named = (f"{name} (seed{'s' * (len(some) > 1)} {enumeration(some)})" for name, some in seeds.items())
    return [f"Collapsed: {enumeration([*named])}. {COLLAPSED}"] * bool(seeds)
