"""The figures, as the paper prints them."""

from ldvd_lib.paper.layout import Column, Row, Table, as_printed
from ldvd_lib.paper.published import PUBLISHED

PROTOCOL = (
    "The paper's scores are of 10,000 samples, ± is the deviation over 4 repetitions with other samples of the same "
    "generator. IS and FID come from the authors' own C3D (FID from its layer fc7): compare an FID only within one "
    "implementation."
)


_IS, _FID = Column("is", "IS", "higher"), Column("fid", "FID", "lower")
_FRAMES = Column("frames", "frames seen")
_DATA_IS = Column("is", "IS")  # of data: a higher resolution has a higher score, but is not better
_BOTH = (_IS, _FID)


def _rows(columns: tuple[Column, ...], *lines: tuple[str, ...]) -> tuple[Row, ...]:
    """Each line: label (and ``|`` and its origin), name in the zoo, figures for the columns; the last may lack."""
    rows = []
    for heading, model, *figures in lines:
        label, _, origin = heading.partition("|")
        padded = [*figures, *[""] * (len(columns) - len(figures))]
        values = {column.key: as_printed(text) for column, text in zip(columns, padded, strict=True)}
        rows.append(Row(label, model, values, origin))
    return tuple(rows)


_SEEN = (
    f"{PROTOCOL} The frames that one place of the discriminator's last map sees are the paper's; by arithmetic the two "
    "3D originals see 46 (so all 16) and 13, not 22."
)
_PREFERENCE = (Column("quality", "preferred for quality, %"), Column("diversity", "for diversity, %"))

TABLES = {
    table.number: table
    for table in (
        Table(
            "2",
            "which of MoCoGAN's discriminators matters",
            _BOTH,
            _rows(
                _BOTH,
                ("MoCoGAN", "mocogan", "11.58±.04", "9485.34±14.61"),
                ("no temporal subsampling", "mocogan-no-subsampling", "10.35±.06", "9657.44±3.90"),
                ("video D only", "mocogan-video", "11.09±.03", "9565.65±21.03"),
                ("image D only", "mocogan-image", "8.26±.04", "10494.09±12.52"),
                ("2xChannels", "mocogan-2x", "12.61±.08", "9166.81±9.92"),
                ("2xChannels, video D only", "mocogan-2x-video", "11.73±.05", "9461.10±1.85"),
                ("video D only, kernels of 2", "mocogan-video-k2", "3.98±.02", "13664.81±7.64"),
                ("image D only, kernels of 8", "mocogan-image-k8", "7.62±.04", "10337.71±.47"),
                ("MoCoGAN|as published", "", "12.42±.03"),
            ),
            note=PROTOCOL,
        ),
        Table(
            "3a",
            "TGAN with and without singular value clipping",
            _BOTH,
            _rows(
                _BOTH,
                ("TGAN, SVC", "tgan", "11.93±.08", "9127.80±13.77"),
                ("TGAN, SVC|as published", "", "11.85±.07"),
                ("TGAN, normal", "tgan-normal", "8.98±.06", "10093.02±11.06"),
                ("TGAN, normal|as published", "", "9.18±.11"),
                ("TGAN, SVC, 2xTime", "", "13.28±.09", "8797.95±10.39"),
            ),
            note=PROTOCOL,
        ),
        Table(
            "5a",
            "TGAN with factorized discriminators",
            _BOTH,
            _rows(
                _BOTH,
                ("TGAN|Table 3a", "tgan", "11.93±.08", "9127.80±13.77"),
                ("c0", "tgan-c0", "12.86±.15", "9031±2"),
                ("c0-c1 = TGAN-F", "tgan-f", "13.62±.06", "8943±4"),
                ("c0-c2", "tgan-c0-c2", "13.11±.06", "8989±4"),
                ("c0-c3", "tgan-c0-c3", "12.45±.04", "9082±1"),
            ),
            note=PROTOCOL,
        ),
        Table(
            "5b",
            "MoCoGAN with factorized discriminators",
            _BOTH,
            _rows(
                _BOTH,
                ("MoCoGAN|Table 2", "mocogan", "11.58±.04", "9485.34±14.61"),
                ("c0", "mocogan-f-c0", "9.71±.05", "9886±13"),
                ("c0-c1 = MoCoGAN-F", "mocogan-f", "11.60±.05", "9424±12"),
                ("c0-c2", "mocogan-f-c0-c2", "10.56±.10", "9518±6"),
                ("c0-c3", "mocogan-f-c0-c3", "10.20±.09", "9694±3"),
            ),
            note=PROTOCOL,
        ),
        Table(
            "6a",
            "TGAN with temporal shifts",
            (_IS, _FRAMES),
            _rows(
                (_IS, _FRAMES),
                ("TGAN|Table 3a", "tgan", "11.93±.08", "22"),
                ("shift after c0", "tgan-tsm-c0", "11.76±.06", "3"),
                ("after c0-c1", "tgan-tsm-c0-c1", "12.11±.12", "5"),
                ("after c0-c2 = TGAN-TSM", "tgan-tsm", "12.32±.07", "7"),
            ),
            note=_SEEN,
        ),
        Table(
            "6b",
            "MoCoGAN with temporal shifts",
            (_IS, _FRAMES),
            _rows(
                (_IS, _FRAMES),
                ("MoCoGAN|Table 2", "mocogan", "11.58±.04", "22"),
                ("shift after c0", "mocogan-tsm-c0", "8.90±.05", "3"),
                ("after c0-c1 = MoCoGAN-TSM", "mocogan-tsm", "9.82±.07", "5"),
                ("after c0-c2", "mocogan-tsm-c0-c2", "9.60±.02", "7"),
            ),
            note=_SEEN,
        ),
        Table(
            "7",
            "the score of the data themselves",
            (_DATA_IS,),
            _rows(
                (_DATA_IS,),
                ("64 px, centre crop", "", "59.61±.21"),
                ("64 px, 2x", "", "63.69±.32"),
                ("64 px, 2x, reversed at random", "", "63.58±.20"),
                ("64 px, 2x, reversed, random crop", "", "61.83±.21"),
                ("128 px, centre crop", "", "90.78±.21"),
                ("128 px, 2x", "", "91.20±.14"),
                ("128 px, 2x, reversed at random", "", "90.55±.10"),
                ("128 px, 2x, reversed, random crop", "", "89.73±.20"),
            ),
            counted="",
            note="Real clips of UCF-101's trainlist01, 16 frames; 2x: every second frame. The judge is the authors' "
            "C3D. Scores of models are to be compared within one resolution, since the data's own rises with it.",
        ),
        Table(
            "8",
            "all methods at 64 px",
            _BOTH,
            _rows(
                _BOTH,
                ("VGAN", "vgan", "8.31±.09"),
                ("TGAN", "tgan", "11.85±.07"),
                ("MoCoGAN", "mocogan", "12.42±.03"),
                ("TGAN-TSM", "tgan-tsm", "12.32±.07", "9796.68±2.29"),
                ("TGAN-F", "tgan-f", "13.62±.06", "8942.63±3.72"),
                ("MoCoGAN-TSM", "mocogan-tsm", "9.82±.07", "10608.66±15.67"),
                ("MoCoGAN-F", "mocogan-f", "11.60±.05", "9424.01±12.16"),
                ("MoCoGAN-F + SN", "mocogan-f-sn", "12.33±.09", "9069.11±3.97"),
                ("MoCoGAN + TGAN-F's D", "mocogan-tgan-f", "12.53±.01", "9038.42±9.21"),
            ),
            note=f"{PROTOCOL} VGAN, TGAN and MoCoGAN are as published by their authors; what the paper measured of the "
            "last two is in Tables 2 and 3a.",
        ),
        Table(
            "9",
            "higher resolution",
            _BOTH,
            _rows(
                _BOTH,
                ("ProVGAN, 32×256×256", "provgan", "13.59"),
                ("ProVGAN + SWGAN, 32×256×256", "provgan-sw", "14.56"),
                ("TGANv2, 16×192×192", "tganv2", "22.70±.19"),
                ("TGAN-F, 16×128×128", "tgan-f-128", "16.85±.04", "8797±7"),
                ("+ 4xTemporalCh", "tgan-f-128-4x-temporal", "17.72±.20", "8361±11"),
                ("+ 2xImageCh", "tgan-f-128-2x-image", "20.35±.23", "7817±10"),
                ("+ 2xTime", "tgan-f-128-2x-time", "17.23±.15", "8444±18"),
                ("+ All", "tgan-f-128-all", "22.91±.19", "8016±17"),
            ),
            note=f"{PROTOCOL} TGAN-F was trained with batches of 32 on one GPU, TGANv2 on four. Scores of different "
            "resolutions are not on one scale (Table 7).",
            counted="G + D",
        ),
        Table(
            "10",
            "which clips people prefer",
            _PREFERENCE,
            _rows(
                _PREFERENCE,
                ("MoCoGAN, against TGAN", "", "33.0", "50"),
                ("TGAN, against MoCoGAN", "", "67.0", "50"),
                ("TGAN, against TGAN-F", "", "41.6", "50"),
                ("TGAN-F, against TGAN", "", "58.4", "50"),
                ("MoCoGAN, against TGAN-F", "", "25.0", "16.6"),
                ("TGAN-F, against MoCoGAN", "", "75.0", "83.4"),
            ),
            counted="",
            note="Answers of people who were shown clips of two models. Two rows that follow each other are one "
            "question and add up to 100 %: a share means nothing beside that of another question.",
        ),
        Table(
            "tganv2",
            "TGANv2: what subsampling between its levels is worth",
            _BOTH,
            _rows(
                _BOTH,
                ("batch of 64", "tganv2", "22.70±.19", "3591±24"),
                ("subsampling frames only", "tganv2-frames", "21.01±.30", "3723±20"),
                ("reducing the batch only", "tganv2-batch", "14.30±.22", "4525±26"),
                ("no subsampling", "tganv2-none", "12.10±.10", "5222±20"),
                ("batch of 256", "", "24.34±.35", "3620±26"),
            ),
            counted="",
            note="Reported by TGANv2's authors, 16×192×192: 2,048 samples, ± over ten repetitions; the FID is of their "
            "own code, and cannot be compared with that of the LDVD paper. Our `tganv2` has the batch of 32 of the "
            "released configuration, and rows of ours differ in nothing but what is left out between levels.",
        ),
        PUBLISHED,
    )
}
