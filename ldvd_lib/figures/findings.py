"""Whether the paper's claims hold, as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldvd_lib.figures.tables import OURS
from ldvd_lib.paper import Finding

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_findings(findings: Sequence[Finding]) -> "Figure":
    """Each finding as a row: a dot for every training, and the side of the bound on which the claim holds.

    Args:
        findings: at least one.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.46 * len(findings) + 1.2), layout="constrained")
    panel = figure.subplots()
    # A curvature of 0 has no place on a logarithmic axis.
    numbers = [number for finding in findings for number in (*finding.numbers, finding.bound) if number > 0]
    low, high = min(numbers) / 1.6, max(numbers) * 1.6
    for row, finding in enumerate(findings):
        left, right = (finding.bound, high) if finding.is_above else (low, finding.bound)
        panel.fill_betweenx((row - 0.38, row + 0.38), left, right, color="0.9", linewidth=0)
        panel.plot([finding.bound] * 2, (row - 0.38, row + 0.38), color="0.45", linewidth=1.5)
        panel.plot(finding.numbers, [row] * len(finding.numbers), "D", color=OURS, markersize=5, alpha=0.8)
        verdict = f"holds in {finding.verdict}" if finding.numbers else finding.verdict
        panel.annotate(
            verdict, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, annotation_clip=False
        )
    labels = [f"{finding.claim}  {finding.about} {finding.expected}" for finding in findings]
    panel.set_yticks(range(len(findings)), labels, fontsize=9)
    panel.set(xscale="log", xlim=(low, high), ylim=(len(findings) - 0.5, -0.5))
    panel.xaxis.set_major_formatter("{x:g}")
    panel.grid(alpha=0.25, axis="x")
    return figure
