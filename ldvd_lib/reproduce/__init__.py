"""Reproducing the paper: its tables, its claims about curvature and the question behind, trained, judged, reported.

    order = Order(("5a",), seeds=(0, 1, 2), steps=1200)
    remember(order, "reproduction")
    Workshop("reproduction", metrics.open_judge("actions")).run(make_plan(order), stores)
    write_report("reproduction")

The directory of a reproduction holds ``plan.json`` (what was asked for), ``runs/seed-K/MODEL`` (run directories of the
tables' models, with their evaluations), ``curvature/seed-K/MODEL`` (those of the claims), ``question/seed-K/CRITIC``
(those of the question), and the report: ``report.md``, ``report.json``, ``claims.json``, ``question.json`` and
``figures/``. In a shell it is one command, ``ldvd reproduce``.
"""

from ldvd_lib.reproduce.estimate import Cost, describe, estimate
from ldvd_lib.reproduce.plan import Order, Plan, Training, make_plan, recall, remember
from ldvd_lib.reproduce.progress import Counts, Progress
from ldvd_lib.reproduce.report import write_report
from ldvd_lib.reproduce.work import Budget, Workshop

__all__ = [
    "Budget",
    "Cost",
    "Counts",
    "Order",
    "Plan",
    "Progress",
    "Training",
    "Workshop",
    "describe",
    "estimate",
    "make_plan",
    "recall",
    "remember",
    "write_report",
]
