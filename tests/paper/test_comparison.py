"""Ours beside the paper's: order and ratio."""

import pytest

from ldvd_lib import paper
from ldvd_lib.paper import compare
from ldvd_lib.runs import Measured


def measured(**models: tuple[float, float | None]) -> dict:
    """Model → IS and FID, the latter such that the order is the same."""
    return {
        name.replace("_", "-"): {"is": Measured(*value, 1, 3), "fid": Measured(100 - value[0], value[1], 1, 3)}
        for name, value in models.items()
    }


def test_ratios_and_places_are_over_the_models_that_both_have() -> None:
    ours = measured(tgan=(5.0, 0.1), tgan_f=(6.0, 0.1), tgan_c0_c3=(7.0, 0.1), mocogan=(9.0, 0.1), mine=(1.0, 0.1))
    comparison = compare(paper.table("5a"), ours, "is")
    assert comparison.models == ("tgan", "tgan-f", "tgan-c0-c3")
    assert comparison.baseline == "tgan"
    assert comparison.paper == pytest.approx({"tgan": 1, "tgan-f": 13.62 / 11.93, "tgan-c0-c3": 12.45 / 11.93})
    assert comparison.ours == pytest.approx({"tgan": 1, "tgan-f": 1.2, "tgan-c0-c3": 1.4})
    assert comparison.paper_places == {"tgan-f": 1, "tgan-c0-c3": 2, "tgan": 3}
    assert comparison.our_places == {"tgan-c0-c3": 1, "tgan-f": 2, "tgan": 3}
    assert (comparison.agreeing, comparison.disagreeing, comparison.open) == (2, 1, 0)
    assert "in the paper c0-c1 = TGAN-F, c0-c3, TGAN; in your runs c0-c3, c0-c1 = TGAN-F, TGAN." in comparison.sentence
    assert "Of 3 pairs, 2 in the same order, 1 in the other, 0 too close" in comparison.sentence
    assert "; in these runs c0-c3," in compare(paper.table("5a"), ours, "is", whose="these runs").sentence


def test_labels_with_commas_stay_whole_in_the_sentence() -> None:
    ours = measured(mocogan=(5.0, 0.1), mocogan_2x_video=(6.0, 0.1), mocogan_image=(4.0, 0.1))
    comparison = compare(paper.table("2"), ours, "is")
    assert "in the paper “2xChannels, video D only”, MoCoGAN, image D only; in" in comparison.sentence


def test_lower_is_better_where_it_is() -> None:
    ours = measured(tgan=(5.0, 0.1), tgan_f=(6.0, 0.1))
    comparison = compare(paper.table("5a"), ours, "fid")
    assert comparison.our_places == comparison.paper_places == {"tgan-f": 1, "tgan": 2}
    assert (comparison.agreeing, comparison.disagreeing, comparison.open) == (1, 0, 0)


def test_what_is_within_two_deviations_is_left_open() -> None:
    near, far = measured(tgan=(5.0, 0.3), tgan_f=(5.8, 0.3)), measured(tgan=(5.0, 0.3), tgan_f=(5.9, 0.3))
    table = paper.table("5a")
    assert compare(table, near, "is").open == 1  # 2 · √(0.3² + 0.3²) = 0.85
    assert compare(table, far, "is").agreeing == 1
    assert compare(table, measured(tgan=(5.0, None), tgan_f=(5.01, None)), "is").agreeing == 1
    # The paper's own MoCoGAN (11.58 ± .04) and MoCoGAN-F (11.60 ± .05) are too close, whatever ours are.
    assert compare(paper.table("5b"), measured(mocogan=(1.0, 0.01), mocogan_f=(9.0, 0.01)), "is").open == 1


def test_what_collapsed_can_be_left_out() -> None:
    ours = measured(mocogan=(5.0, 0.1), mocogan_image=(4.0, 0.1), mocogan_video_k2=(1.0, 0.1))
    table = paper.table("2")
    whole, rest = compare(table, ours, "is"), compare(table, ours, "is", without=("mocogan-video-k2",))
    assert (
        whole.pairs
        == "3 pairs, 3 in the same order, 0 in the other, 0 too close to call (within 2 standard deviations)"
    )
    assert rest.models == ("mocogan", "mocogan-image")
    assert rest.pairs.startswith("1 pair, 1 in the same order, ")
    assert rest.sentence.endswith(f"Of {rest.pairs}.")
    assert compare(table, ours, "is", without=("mocogan", "mocogan-image")) is None


def test_pairs_can_be_judged_with_bars_of_the_papers_kind() -> None:
    ours = {model: {"is": Measured(mean, 0.5, 3, 3, 0.01)} for model, mean in {"tgan": 5.0, "tgan-f": 5.5}.items()}
    table = paper.table("5a")
    assert compare(table, ours, "is").open == 1
    assert compare(table, ours, "is", of_samples=True).agreeing == 1
    single = measured(tgan=(5.0, 0.5), tgan_f=(5.5, 0.5))
    assert compare(table, single, "is", of_samples=True).open == 1, "their only deviation counts"


def test_there_is_nothing_to_compare_of_one_model_or_without_a_direction() -> None:
    ours = measured(tgan=(5.0, 0.1), tgan_tsm=(6.0, 0.1))
    assert compare(paper.table("5a"), ours, "is") is None
    assert compare(paper.table("6a"), ours, "is") is not None
    assert compare(paper.table("6a"), ours, "frames") is None
    assert compare(paper.table("8"), ours, "fid") is None, "TGAN has no FID there"
    with pytest.raises(ValueError, match="no column 'kid'"):
        compare(paper.table("8"), ours, "kid")
