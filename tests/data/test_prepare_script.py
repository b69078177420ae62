"""data_scripts/prepare_ucf101.py, as a shell calls it; what it does is tested with `ldvd data prepare`."""

import subprocess
import sys
from pathlib import Path

from ldvd_lib.data import ClipStore


def test_it_makes_the_store_that_was_asked_for(repository: Path, tree: Path, tmp_path: Path) -> None:
    script = repository / "data_scripts" / "prepare_ucf101.py"
    command = [sys.executable, script, tree, tmp_path / "store", "--image-size", "8", "--subset", "test"]
    subprocess.run(command, check=True)
    assert ClipStore.open(tmp_path / "store", image_size=8, subset="test")
