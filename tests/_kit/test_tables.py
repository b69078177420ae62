"""Tables as text and as HTML."""

from ldvd_lib._kit.tables import InColumns, as_html, as_text

HEADINGS = ("name", "count", "note")
ROWS = [("a", "1", ""), ("longer", "1,000", "x < y")]


def test_text_stands_in_columns_and_figures_end_at_one_line() -> None:
    assert as_text(HEADINGS, ROWS, right=(1,)).splitlines() == [
        "name    count  note",
        "a           1",
        "longer  1,000  x < y",
    ]


def test_html_says_what_heads_what_and_escapes_the_rest() -> None:
    html = as_html(HEADINGS, ROWS, right=(1,), caption="R&D", note="1 < 2")
    assert html.count('scope="col"') == 3
    assert html.count('scope="row"') == 2
    assert '<td style="text-align:right">1,000</td><td style="text-align:left">x &lt; y</td>' in html
    assert "<caption>R&amp;D</caption>" in html
    assert html.endswith("</table><p>1 &lt; 2</p>")


def test_a_sequence_in_columns_is_itself_and_prints_as_its_table() -> None:
    class Counts(InColumns, tuple[int, ...]):
        HEADINGS = ("name", "count")
        FIGURES = (1,)

        def cells(self) -> list[tuple[str, ...]]:
            return [(f"number {index}", str(count)) for index, count in enumerate(self)]

    counts = Counts((5, 1000))
    assert counts == (5, 1000)
    assert repr(counts) == as_text(Counts.HEADINGS, counts.cells(), right=(1,))
    assert counts._repr_html_() == as_html(Counts.HEADINGS, counts.cells(), right=(1,))
