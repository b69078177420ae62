"""What a notebook's learner works with: checks, hints, progress, data, and how long things may take.

check("01.1", my_function)   # ✓ or ✗, with what was found and what was expected; never raises
hint("01.1")                 # a nudge; hint("01.1", level=3) nearly gives it away
progress()                   # what is done, in all notebooks so far; progress(reset=True) starts over
store(image_size=32)         # the clips that the course trains on, rendered and decoded on first use
steps(600)                   # 600, or a few when the time budget is "quick"
"""

from ldvd_lib.classroom.checks import check, hint
from ldvd_lib.classroom.environment import EnvironmentReport, budget, environment_report, repeats, steps, workspace
from ldvd_lib.classroom.material import footage, store
from ldvd_lib.classroom.records import Progress, progress
from ldvd_lib.classroom.results import CheckResult, Hint

__all__ = [
    "CheckResult",
    "EnvironmentReport",
    "Hint",
    "Progress",
    "budget",
    "check",
    "environment_report",
    "footage",
    "hint",
    "progress",
    "repeats",
    "steps",
    "store",
    "workspace",
]
