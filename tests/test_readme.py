"""What the README shows works, and what it links to is there."""

import re
import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(repository, name):
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", (repository / name).read_text())
    missing = [target for target in targets if not (repository / target).exists()]
    assert not missing


@pytest.mark.slow
def test_the_library_in_ten_lines(repository, tmp_path):
    """The example as it stands, with less data and fewer steps."""
    code, _ = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(), re.DOTALL)
    for full, short in (('render("data/actions")', 'render("data/actions", clips_per_class=2)'), ("800", "2")):
        assert code.count(full) == 1
        code = code.replace(full, short)
    # As a script with the guard that processes started by spawning need.
    script = tmp_path / "example.py"
    script.write_text("if __name__ == '__main__':\n" + re.sub(r"^", "    ", code, flags=re.MULTILINE))
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert (tmp_path / "samples.gif").stat().st_size > 10_000
    assert (tmp_path / "runs" / "mine").is_dir()


@pytest.mark.slow
def test_the_network_of_ones_own(repository, tmp_path):
    """As it stands, and then trained and measured as the text says."""
    _, code = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(), re.DOTALL)
    script = f"""
from torch import nn
from ldvd_lib import anatomy, zoo
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.discriminators import Discriminator
from ldvd_lib.gan import NetworkConfig
from ldvd_lib.training import SpectrumProbe, Trainer
import numpy as np
{code}
@zoo.register("mine")
def mine(preset):
    tgan = zoo.config("tgan", preset)
    return tgan.generator, {{"colour": NetworkConfig("mean-colour")}}, tgan.recipe

gan = zoo.build("mine", batch_size=2)
store = ClipStore.from_clips(np.zeros((1, 16, 32, 32, 3), dtype=np.uint8))
probe = SpectrumProbe(every=1, k=1)
run = Trainer(gan, WindowSampler.for_gan(gan, store), "run", callbacks=[probe], progress=False).run(1)
assert run.spectrum()["colour"]["largest"].size == 1
assert anatomy.dissect(gan.discriminators["colour"], shape=(3, 16, 32, 32)).parameters == 4
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
