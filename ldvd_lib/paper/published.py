"""What was published of systems on UCF-101, and where we read it.

Many of these figures are handed on from table to table. A figure is first-hand here if we read it in what the authors
of the system wrote: the paper, its abstract, or the README of their code. All else is second-hand, and the source says
whose account it is.
"""

from ldvd_lib.paper.layout import Column, Row, Table, as_printed

# Systems differ too much for one of them to be the best.
_IS, _FVD = Column("is", "IS"), Column("fvd", "FVD")

_PAPERS_WITH_CODE = "Papers with Code, the entry of its paper"
_STYLEGAN_V = "widely quoted from arXiv:2112.14683, which we have not read"


def _row(label: str, inception: str, fvd: str, where: str, *, model: str = "", second_hand: bool = False) -> Row:
    return Row(
        label, model, {"is": as_printed(inception), "fvd": as_printed(fvd)}, source=where, second_hand=second_hand
    )


PUBLISHED = Table(
    "published",
    "what was published of systems on UCF-101",
    (_IS, _FVD),
    (
        _row("VGAN, 32×64×64", "8.31±.09", "", "LDVD paper, Table 8", model="vgan", second_hand=True),
        _row("TGAN, normal", "9.18±.11", "", "LDVD paper, Table 3a", model="tgan-normal", second_hand=True),
        _row("TGAN, SVC", "11.85±.07", "", "its authors' README, pfnet-research/tgan2", model="tgan"),
        _row("MoCoGAN", "12.42±.03", "", "LDVD paper, Table 8", model="mocogan", second_hand=True),
        _row(
            "ProVGAN, 32×256×256",
            "13.59±.07",
            "",
            "LDVD paper, Table 9; ± from later tables",
            model="provgan",
            second_hand=True,
        ),
        _row("ProVGAN + SWGAN, 32×256×256", "14.56±.05", "", "as the line above", model="provgan-sw", second_hand=True),
        _row("the same, in its abstract", "14.57", "", "arXiv:1810.02419, abstract"),
        _row("TGAN-F, 16×64×64", "13.62±.06", "", "LDVD paper, Table 8", model="tgan-f"),
        _row("TGAN-F + All, 16×128×128", "22.91±.19", "", "LDVD paper, Table 9", model="tgan-f-128-all"),
        _row("TGANv2, 16×192×192", "22.70±.19", "", "LDVD paper, Table 9", model="tganv2", second_hand=True),
        _row("TGANv2, batch of 256", "24.34", "", "arXiv:1811.09245v1, abstract"),
        _row("TGANv2, its code's own run", "25.07±.47", "", "its authors' README, pfnet-research/tgan2"),
        _row("TGANv2, as later tables have it", "28.87", "", "widely quoted; we found no source", second_hand=True),
        _row(
            "DVD-GAN, 16×128×128, with labels",
            "32.97±1.7",
            "",
            "a summary of arXiv:1907.06571",
            model="dvd-gan-128",
            second_hand=True,
        ),
        _row("DIGAN, 16×128×128", "32.70", "577", _PAPERS_WITH_CODE, second_hand=True),
        _row("DIGAN, from the training split alone", "", "655", "widely quoted from its paper", second_hand=True),
        _row("DIGAN, with labels", "59.68", "465", _PAPERS_WITH_CODE, second_hand=True),
        _row("DIGAN, 256 px, judged by StyleGAN-V's authors", "", "1630", _STYLEGAN_V, second_hand=True),
        _row("MoCoGAN, 256 px, by the same", "", "2887", _STYLEGAN_V, second_hand=True),
        _row("StyleGAN-V, 256 px", "", "1431", _STYLEGAN_V, second_hand=True),
        _row("MoStGAN-V, 256 px", "", "1380", "Wizwand, the entry of its paper", second_hand=True),
        _row("TATS, 16×128×128", "57.63", "", "widely quoted from arXiv:2204.03638", second_hand=True),
    ),
    counted="",
    note="Lengths, resolutions, splits, numbers of samples and of GPUs differ, and some are told the class: a history, "
    "not a ranking. First-hand: read in what its authors wrote. Second-hand: read elsewhere.",
)
