"""A damaged file gives the undamaged result, or an error of ours that names it: of every kind, in every way."""

import pickle
from collections import Counter
from random import Random

import mutations
import pytest
import trials
from kinds import KINDS

MUTATIONS = 20  # of each kind, if no option says otherwise: about a minute for all


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_noticed_or_harmless(kind, tmp_path, request, record_counts) -> None:
    samples = tmp_path / "one", tmp_path / "other"
    for number, directory in enumerate(samples):
        directory.mkdir()
        KINDS[kind].make(directory, number)
    first = request.config.getoption("first_seed", 0)
    number = request.config.getoption("mutations", None) or MUTATIONS
    results = list(trials.run(kind, samples, range(first, first + number)))
    counts = Counter(trial.verdict for trial in results)
    record_counts({"kind": kind, "tried": len(results)} | {verdict: counts[verdict] for verdict in trials.VERDICTS})
    escaped = [str(trial) for trial in results if trial.verdict == "escaped"]
    repeat = f'pytest "{request.node.nodeid}" --mutations 1 --first-seed SEED'
    assert not escaped, "\n\n".join(
        [f"{len(escaped)} of {len(results)} escaped; repeat one by: {repeat}", *escaped[:5]]
    )


def test_what_is_unpickled_is_found_out() -> None:
    files = {mutations.foreign(Random(seed), b"", b"") for seed in range(50)}
    pickles = [data for data in files if data.startswith(b"\x80")]
    assert len(pickles) == 2
    for data in pickles:
        pickle.loads(data)
        assert mutations.was_unpickled()
    assert not mutations.was_unpickled()


def test_a_silence_is_an_escape(tmp_path, monkeypatch) -> None:
    KINDS["zip"].make(tmp_path, 0)
    monkeypatch.setattr(trials, "PATIENCE", 0.0)
    silence, again = trials.run("zip", (tmp_path, tmp_path), range(2))
    assert {silence.verdict, again.verdict} == {"escaped"}
    assert "no answer" in again.detail
