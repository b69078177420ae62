"""Add an evaluation to a model beside this file: to its directory, its card and the index.

Usage: ldvd evaluate pretrained/NAME --data DATA --protocol PROTOCOL --out DIRECTORY …
       python pretrained/add_scores.py NAME DIRECTORY/evaluation.json

For scores by a further protocol, once the run that the model came from is gone. An evaluation by the same protocol, of
as many samples, is replaced.
"""

import argparse
import re
from dataclasses import asdict
from pathlib import Path

from add_run import evaluations, metrics

from ldvd_lib._kit import shelf
from ldvd_lib._kit.files import replacing
from ldvd_lib.metrics import Evaluation
from ldvd_lib.runs import pretrained
from ldvd_lib.runs.files import EVALUATION
from ldvd_lib.runs.sources import digest_weights


def add(name: str, path: Path) -> Path:
    """Add the evaluation in a file to an entry; returns the card.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for an unknown name, or an evaluation of other weights.
    """
    run = pretrained.open_run(name)
    step = run.newest_step
    evaluation = Evaluation.load(path)
    if not evaluation.name.endswith(f"step {step} ({digest_weights(run.generator(step)):.8})"):
        raise ValueError(
            f"{path} is of {evaluation.name}, and not of the weights of {name}: make it with "
            f"`ldvd evaluate {run.directory}`"
        )
    label = f"{evaluation.protocol}-{evaluation.samples}-step-{step}"
    evaluation.save(run.directory / "evaluations" / label / EVALUATION)
    card = run.directory / shelf.CARD
    text, count = re.subn(
        r"(?s)(?<=\n## Metrics\n\n).*?(?=\n\n## )", lambda match: metrics(run), card.read_text(encoding="utf-8")
    )
    if count != 1:
        raise ValueError(f'{card} must have one section "## Metrics", followed by another, and has {count}')
    with replacing(card) as temporary:
        temporary.write_text(text, encoding="utf-8")
    entry = {key: value for key, value in shelf.entry(name).items() if key not in ("file", "sha256")}
    entry["metrics"] = [asdict(kept) for kept in evaluations(run)]
    shelf.list_weights(shelf.directory(), name, shelf.weights_file(name), entry)
    return card


def main() -> None:
    """Read the arguments, add the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="NAME", help="of the model, as in `pretrained.list_models()`")
    parser.add_argument("path", type=Path, metavar="EVALUATION", help="the evaluation.json that `ldvd evaluate` wrote")
    arguments = parser.parse_args()
    print(add(arguments.name, arguments.path))


if __name__ == "__main__":
    main()
