"""The paper's tables as data. The figures here were typed a second time, from the paper, not from the module."""

import re

import pytest

from ldvd_lib import paper, zoo

TABLE_5A = {
    "tgan-c0": ((12.86, 0.15), (9031, 2)),
    "tgan-f": ((13.62, 0.06), (8943, 4)),
    "tgan-c0-c2": ((13.11, 0.06), (8989, 4)),
    "tgan-c0-c3": ((12.45, 0.04), (9082, 1)),
}
TABLE_6A = {"tgan-tsm-c0": (11.76, 0.06), "tgan-tsm-c0-c1": (12.11, 0.12), "tgan-tsm": (12.32, 0.07)}
TABLE_8 = {
    "VGAN": ((8.31, 0.09), None),
    "TGAN": ((11.85, 0.07), None),
    "MoCoGAN": ((12.42, 0.03), None),
    "TGAN-TSM": ((12.32, 0.07), (9796.68, 2.29)),
    "TGAN-F": ((13.62, 0.06), (8942.63, 3.72)),
    "MoCoGAN-TSM": ((9.82, 0.07), (10608.66, 15.67)),
    "MoCoGAN-F": ((11.60, 0.05), (9424.01, 12.16)),
    "MoCoGAN-F + SN": ((12.33, 0.09), (9069.11, 3.97)),
    "MoCoGAN + TGAN-F's D": ((12.53, 0.01), (9038.42, 9.21)),
}


def figures(row: paper.Row, *keys: str) -> tuple:
    values = [row.values[key] for key in keys]
    return tuple(value and (value.mean, value.deviation) for value in values)


def test_table_5a() -> None:
    table = paper.table("5a")
    assert {row.model: figures(row, "is", "fid") for row in table.rows[1:]} == TABLE_5A
    assert (table.rows[0].model, table.rows[0].origin) == ("tgan", "Table 3a")
    assert figures(table.rows[0], "is", "fid") == ((11.93, 0.08), (9127.80, 13.77))


def test_table_6a() -> None:
    table = paper.table("6a")
    assert {row.model: figures(row, "is")[0] for row in table.rows[1:]} == TABLE_6A
    assert [row.values["frames"].mean for row in table.rows] == [22, 3, 5, 7]


def test_table_8() -> None:
    assert {row.label: figures(row, "is", "fid") for row in paper.table("8").rows} == TABLE_8


@pytest.mark.parametrize(
    ("number", "label", "key", "text"),
    [
        ("2", "MoCoGAN", "is", "11.58 ± 0.04"),
        ("2", "video D only, kernels of 2", "fid", "13,664.81 ± 7.64"),
        ("2", "image D only, kernels of 8", "fid", "10,337.71 ± 0.47"),
        ("3a", "TGAN, normal", "is", "8.98 ± 0.06"),
        ("3a", "TGAN, SVC, 2xTime", "fid", "8,797.95 ± 10.39"),
        ("5b", "c0-c3", "fid", "9,694 ± 3"),
        ("6b", "after c0-c1 = MoCoGAN-TSM", "is", "9.82 ± 0.07"),
        ("7", "128 px, 2x", "is", "91.20 ± 0.14"),
        ("9", "ProVGAN, 32×256×256", "is", "13.59"),
        ("9", "+ All", "fid", "8,016 ± 17"),
        ("10", "TGAN-F, against MoCoGAN", "diversity", "83.4"),
        ("tganv2", "batch of 256", "is", "24.34 ± 0.35"),
        ("published", "DVD-GAN, 16×128×128, with labels", "is", "32.97 ± 1.7"),
        ("published", "TGANv2, its code's own run", "is", "25.07 ± 0.47"),
        ("published", "DIGAN, with labels", "fvd", "465"),
        ("published", "DIGAN, 256 px, judged by StyleGAN-V's authors", "fvd", "1,630"),
    ],
)
def test_figures_read_as_they_are_printed(number, label, key, text) -> None:
    (row, *_) = [row for row in paper.table(number).rows if row.label == label]
    assert str(row.values[key]) == text


def test_each_model_is_in_the_zoo_once_in_a_table_and_parameters_are_the_zoos() -> None:
    for table in paper.tables():
        models = [row.model for row in table.rows if row.model]
        assert len(models) == len(set(models)), table.number
        for model in models:
            assert table.row(model).parameters == zoo.ENTRIES[model].paper_parameters
            if table.counted:
                assert zoo.ENTRIES[model].counted == table.counted
    assert [row.parameters for row in paper.table("5a").rows] == ["11M", "2.8M", "2.8M", "3.1M", "4.2M"]
    assert [row.parameters for row in paper.table("9").rows] == ["", "", "200M", "16M", "27M", "25M", "16M", "70M"]


def test_what_the_zoo_says_is_in_a_table_is_there() -> None:
    for entry in zoo.ENTRIES.values():
        for number in re.findall(r"\b\d+[ab]?", entry.source.partition(":")[0] if "Table" in entry.source else ""):
            assert paper.table(number).row(entry.name)


def test_the_same_figure_is_the_same_in_every_table() -> None:
    """Table 8 repeats others, with more digits."""
    for model in ("tgan-tsm", "tgan-f", "mocogan-tsm", "mocogan-f"):
        repeated = paper.table("8").row(model)
        for number in ("5a", "5b", "6a", "6b"):
            for row in paper.table(number).rows:
                for key in ("is", "fid") if row.model == model else ():
                    if row.values.get(key):
                        assert row.values[key].mean == pytest.approx(repeated.values[key].mean, abs=0.5)


def test_preferences_add_up() -> None:
    rows = paper.table("10").rows
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        for key in ("quality", "diversity"):
            assert one.values[key].mean + other.values[key].mean == pytest.approx(100)


def test_the_best_of_a_column() -> None:
    table = paper.table("9")
    assert table.best("is").label == "+ All"
    assert table.best("fid").label == "+ 2xImageCh"
    assert paper.table("6a").best("frames") is None
    assert paper.table("published").best("is") is paper.table("published").best("fvd") is None, "a history, no ranking"


def test_a_table_prints_and_shows_with_its_note() -> None:
    table = paper.table("5a")
    text = str(table)
    assert text.startswith("Table 5a: TGAN with factorized discriminators\n")
    assert re.search(r"c0-c1 = TGAN-F +13.62 ± 0.06 ★ +8,943 ± 4 ★ +2.8M", text)
    assert "10,000 samples" in text and "only within one implementation" in text
    html = table._repr_html_()
    assert html.count('<th scope="row"') == 5 and html.count('<th scope="col"') == 4
    assert "<caption>Table 5a" in html and "TGAN-F&#x27;s D" in paper.table("8")._repr_html_()
    assert repr(paper.tables()).splitlines()[2] == "5a         TGAN with factorized discriminators"


def test_each_published_score_says_where_it_was_read() -> None:
    table = paper.table("published")
    assert all(row.source and any(row.values.values()) for row in table.rows)
    first_hand = {row.label for row in table.rows if not row.second_hand}
    assert first_hand == {
        "TGAN, SVC",
        "the same, in its abstract",
        "TGAN-F, 16×64×64",
        "TGAN-F + All, 16×128×128",
        "TGANv2, batch of 256",
        "TGANv2, its code's own run",
    }
    assert sorted(row.values["fvd"].mean for row in table.rows if row.label.startswith("DIGAN")) == [
        465,
        577,
        655,
        1630,
    ]
    lines = str(table).splitlines()
    assert re.search(r"read +where$", lines[2])
    assert re.fullmatch(r"MoCoGAN +12.42 ± 0.03 +–  second-hand  LDVD paper, Table 8", lines[6])
    html = table._repr_html_()
    assert html.count("second-hand</td>") == len(table.rows) - len(first_hand)
    assert '<td style="text-align:left">LDVD paper, Table 8</td>' in html
    assert "first-hand" not in str(paper.table("8")), "one source: no column for it"


def test_what_our_table_of_the_published_repeats_of_the_papers_tables_agrees_with_them() -> None:
    for row in paper.table("published").rows:
        number = re.match(r"LDVD paper, Table (\w+)$", row.source)
        if number and row.model:
            printed = [other.values["is"] for other in paper.table(number[1]).rows]
            assert row.values["is"] in printed


def test_what_is_not_there_is_answered_with_what_is() -> None:
    with pytest.raises(ValueError, match=r"no table '5': did you mean '5[ab]'\? The choices are \['2', '3a', '5a'"):
        paper.table("5")
    with pytest.raises(ValueError, match=r"table 5a has no row of 'mocogan': .*choices are \['tgan', 'tgan-c0'"):
        paper.table("5a").row("mocogan")
    with pytest.raises(ValueError, match=r"table 7 has no column 'fid': the choices are \['is'\]"):
        paper.table("7").column("fid")
