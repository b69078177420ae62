"""The index of trained weights, when several processes write to it."""

import json
import threading
import time

import pytest
import torch

from ldvd_lib._kit import shelf


def test_entries_that_are_written_at_the_same_time_all_stand(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_json = shelf.load_json

    def slowly(path):
        index = load_json(path)
        time.sleep(0.02)  # long enough for another to read the same
        return index

    monkeypatch.setattr(shelf, "load_json", slowly)
    names = [f"weights-{number}" for number in range(4)]
    shelf.save_weights(tmp_path, names[0], {"a": torch.zeros(1)}, {})
    writers = [
        threading.Thread(target=shelf.save_weights, args=(tmp_path, name, {"a": torch.ones(2)}, {"steps": 3}))
        for name in names[1:]
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(json.loads((tmp_path / shelf.INDEX).read_text())) == names
