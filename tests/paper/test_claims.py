"""The claims about curvature, on spectra that were made up."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import save_json
from ldvd_lib.figures import plot_findings
from ldvd_lib.paper import Curvature, examine, read_findings
from ldvd_lib.paper.claims import CLAIMS, MODELS


def spectrum(*probes: tuple[float, ...]) -> dict[str, np.ndarray]:
    values = np.array(probes)
    return {
        "eigenvalues": values,
        "largest": values.max(axis=1),
        "smallest": values.min(axis=1),
        "converged": np.ones(len(values), dtype=bool),
    }


def test_a_spectrum_is_summed_up() -> None:
    curvature = Curvature.of(spectrum((-4.0, 2.0, 1.0), (8.0, -6.0, 3.0)))
    assert (curvature.plus, curvature.minus, curvature.extreme) == (8, -6, 8)
    assert curvature.median == 3.5
    assert curvature.growth == 8 / 4
    assert curvature.asymmetry == pytest.approx(8 / 6)
    assert curvature.converged


def test_a_spectrum_of_one_sign_is_as_lopsided_as_can_be() -> None:
    assert Curvature.of(spectrum((4.0, 2.0))).asymmetry > 1e6
    silent = Curvature.of(spectrum((0.0, 0.0)))
    assert (silent.extreme, silent.growth, silent.asymmetry) == (0, 0, 0)


def curvature(extreme: float, *, minus: float = -1.0, median: float = 1.0, growth: float = 1.0) -> Curvature:
    return Curvature(plus=extreme, minus=minus, median=median, growth=growth, converged=True)


def test_ratios_are_taken_seed_by_seed() -> None:
    seeds = {
        0: {"mocogan/video": curvature(40, median=8), "mocogan/image": curvature(10, median=4)},
        2: {"mocogan/video": curvature(20, median=2), "mocogan/image": curvature(10, median=1)},
        3: {"mocogan/video": curvature(20)},  # its other half has not been trained yet
    }
    extreme, median = examine(seeds)
    assert (extreme.claim, extreme.measure, extreme.expected) == ("1", "extreme", "> 3")
    assert (extreme.seeds, extreme.numbers, extreme.held, extreme.median) == ((0, 2), (4, 2), 1, 3)
    assert (median.measure, median.numbers, median.held) == ("median", (2, 2), 0)


def test_growth_with_and_without_clipping_is_judged_in_opposite_ways() -> None:
    seed = {
        "tgan/video": curvature(10, minus=-8, growth=0.5),
        "tgan-normal/video": curvature(3, minus=-1, growth=4),
    }
    findings = {(finding.claim, finding.first): (finding.numbers, finding.held) for finding in examine({0: seed})}
    assert findings == {
        ("2a", "tgan/video"): ((1.25,), 1),
        ("2b", "tgan-normal/video"): ((4,), 1),
        ("2b", "tgan/video"): ((0.5,), 1),
    }


def test_nothing_is_said_of_what_was_not_trained() -> None:
    assert examine({}) == ()
    assert examine({0: {"tgan-f/video": curvature(1)}}) == ()


def test_a_critic_that_collapsed_is_reported_and_compared_with_nothing() -> None:
    dead = replace(curvature(50), at_chance_from=10)
    seeds = {
        0: {"mocogan/video": curvature(100), "mocogan-video-k2/video": dead},
        1: {"mocogan/video": curvature(100), "mocogan-video-k2/video": curvature(200)},
        2: {"mocogan/video": dead, "mocogan-video-k2/video": curvature(200)},
    }
    extreme, median = examine(seeds)
    assert (extreme.claim, extreme.numbers, extreme.seeds, extreme.collapsed) == ("5", (2,), (1,), (0, 2))
    assert (extreme.verdict, extreme.median, median.verdict) == ("1 of 1, 2 collapsed", 2, "0 of 1, 2 collapsed")
    nothing, _ = examine({0: seeds[0]})
    assert (nothing.numbers, nothing.median, nothing.verdict) == ((), None, "1 collapsed")
    assert plot_findings([extreme, nothing]).axes


def test_more_parameters_are_looked_at_in_both_discriminators() -> None:
    names = [f"{model}/{kind}" for kind in ("image", "video") for model in ("mocogan", "mocogan-2x")]
    seed = dict(zip(names, map(curvature, (10.0, 30.0, 200.0, 100.0)), strict=True))
    numbers = {
        (finding.first, finding.measure): finding.numbers for finding in examine({0: seed}) if finding.claim == "4"
    }
    assert numbers["mocogan-2x/image", "extreme"] == (3,)
    assert numbers["mocogan-2x/video", "extreme"] == (0.5,)


def test_kernels_are_compared_that_have_as_many_weights() -> None:
    (claim, _) = (claim for claim in CLAIMS if claim.number == "5")
    assert (claim.first, claim.second) == ("mocogan/video", "mocogan-image-k8/image")
    for preset, weights in (("lite", 171_200), ("paper", 2_650_880)):
        for name in claim.discriminators:
            model, _, discriminator = name.partition("/")
            with torch.device("meta"):
                critic = zoo.build(model, preset).discriminators[discriminator]
            assert sum(parameter.numel() for parameter in critic.parameters()) == weights


def test_a_silent_critic_has_collapsed_too() -> None:
    silent = Curvature.of(spectrum((0.0, 0.0)))
    seeds = {
        0: {"tgan/video": curvature(10, minus=-9), "tgan-f/video": silent},
        1: {"tgan/video": silent, "tgan-f/video": curvature(4)},
        2: {"tgan/video": curvature(10, minus=-9), "tgan-f/video": curvature(4)},
    }
    seeds_of = {finding.claim: finding.seeds for finding in examine(seeds)}
    assert seeds_of == {"2a": (0, 2), "2b": (0, 2), "3": (2,)}
    assert {finding.claim: finding.collapsed for finding in examine(seeds)} == {"2a": (1,), "2b": (1,), "3": (0, 1)}


def test_every_claim_is_about_models_that_are_trained() -> None:
    assert {claim.number[0] for claim in CLAIMS} == set("12345")
    for claim in CLAIMS:
        for discriminator in filter(None, (claim.first, claim.second)):
            assert discriminator.partition("/")[0] in MODELS


def test_findings_come_back_from_a_report_as_they_were(tmp_path) -> None:
    seeds = {seed: {"tgan/video": curvature(10, minus=-8, growth=seed)} for seed in (0, 2)}
    findings = examine(seeds | {3: {"tgan/video": replace(curvature(10), at_chance_from=20)}})
    path = save_json([asdict(finding) for finding in findings], tmp_path / "claims.json")
    again = read_findings(path)
    assert again == findings
    assert repr(again) == repr(findings)
    assert repr(again).splitlines()[2].split()[-6:] == ["1.00", "1", "of", "2,", "1", "collapsed"]
    assert again._repr_html_().count("<tr>") == 1 + len(findings)


def test_what_is_no_list_of_findings_is_told(tmp_path) -> None:
    with pytest.raises(ValueError, match="must hold a list of findings, got dict"):
        read_findings(save_json({}, tmp_path / "claims.json"))
    with pytest.raises(ValueError, match=r"claims\.json, finding 0.*claim"):
        read_findings(save_json([{"text": "x"}], tmp_path / "claims.json"))
