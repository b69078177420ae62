"""A machine with PyTorch, NumPy, SciPy, Matplotlib and little more: the library trains, judges and measures there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_package import ROOMS

import ldvd_lib

PACKAGE = Path(ldvd_lib.__file__).parent
ABSENT = (
    "IPython",
    "anywidget",
    "av",
    "huggingface_hub",
    "imageio",
    "ipywidgets",
    "jupyterlab",
    "moviepy",
    "psutil",
    "rarfile",
    "requests",
    "traitlets",
    "urllib3",
)
CORE = ROOMS[: ROOMS.index("figures") + 1]

# Before anything else is imported: what is absent cannot be, whether it is installed or not.
REFUSE = f"""
import sys

class Refuse:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse)
"""

IMPORT = """
import importlib, json
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
"""

WORK = """
from pathlib import Path

from ldvd_lib import figures, zoo
from ldvd_lib.data import ClipStore, WindowSampler, actions
from ldvd_lib.hessian import measure
from ldvd_lib.metrics import open_judge
from ldvd_lib.runs import Run, scores
from ldvd_lib.training import SampleGrid, SpectrumProbe, Trainer, sample_videos

home = Path(sys.argv[1])
actions.render_store(
    home / "actions-32", image_size=32, clips_per_class=2, frames_per_clip=16, workers=1, progress=False
)
store = ClipStore.open(home / "actions-32", image_size=32, subset="train")

gan = zoo.config("tgan-f").with_recipe(batch_size=2, svc_every=1).build()
sampler = WindowSampler.for_gan(gan, store)
probe = SpectrumProbe(every=1, k=2, max_products=12)
options = {"device": "cpu", "log_every": 1, "checkpoint_every": 2, "progress": False}
Trainer(gan, sampler, home / "run", callbacks=[probe, SampleGrid(every=2, num_videos=4)], **options).run(2)

run = Run.open(home / "run")
videos = sample_videos(run.generator(), 2)
assert videos.shape == (2, 3, 16, 32, 32) and videos.isfinite().all()
figures.save(figures.plot_training(run), home / "training.png")
figures.save(figures.plot_spectrum(run), home / "spectrum.png")

judge = open_judge("actions")
few = {"samples": 6, "device": "cpu", "progress": False}
real = scores.real_features(judge, store, **few)
evaluation, file = scores.judge_run(run, judge, real, repeats=2, **few)

batch = sampler.peek(seed=0)
(report,) = measure(run.gan(), batch.video, batch.labels, step=2, k=2, max_products=12)
print(report)
"""


def on_bare_machine(code: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run code where packages are absent."""
    command = [sys.executable, "-c", REFUSE + code, *arguments]
    paths = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths})


def modules(room: str) -> list[str]:
    """The modules of a room by their dotted names."""
    files = [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").is_file() else sorted((PACKAGE / room).rglob("*.py"))
    return [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for path in files
    ]


def test_what_is_absent_cannot_be_imported() -> None:
    done = on_bare_machine("import PIL, requests.adapters")
    assert "ModuleNotFoundError: No module named 'requests'" in done.stderr


def test_every_module_up_to_the_figures_can_be_imported() -> None:
    names = [name for room in CORE for name in modules(room)]
    assert len(names) > 80 and "ldvd_lib.data.actions.stores" in names
    done = on_bare_machine(IMPORT, json.dumps(names))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_it_trains_judges_measures_and_draws(tmp_path) -> None:
    done = on_bare_machine(WORK, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Hessian-vector products" in done.stdout
    for name in ("training.png", "spectrum.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "run" / "samples").glob("*.gif"))
    assert len((tmp_path / "run" / "spectrum.jsonl").read_text().splitlines()) == 2
    assert list((tmp_path / "run" / "evaluations").rglob("*.json"))


MISSING = {
    "decode.decode(FILE)": "the package 'av' is needed to decode video files, and it is not installed: pip install av",
    "decode.probe(FILE)": "the package 'av' is needed to decode video files, and it is not installed: pip install av",
    "actions.render(NEW, progress=False)": "the package 'av' is needed to write video files (actions.render_store "
    "makes a store of the same clips without it), and it is not installed: pip install av",
    "transfer.fetch('https://127.0.0.1/film', f'{NEW}/film')": "the package 'requests' is needed to download files, "
    "and it is not installed: pip install requests",
    "archives.find_rar_tools()": "the package 'rarfile' is needed to read RAR archives, and it is not installed: "
    "pip install rarfile",
    "archives.unpack_rar(FILE, NEW, limit=1)": "the package 'rarfile' is needed to read RAR archives, and it is not "
    "installed: pip install rarfile",
    "video.save_mp4(torch.zeros(3, 2, 8, 8), f'{NEW}/film.mp4')": "the package 'moviepy' is needed to write MP4 films "
    "(save_gif needs no package), and it is not installed: pip install moviepy",
}
TRY = """
import json
import torch
from ldvd_lib import video
from ldvd_lib._kit.packages import MissingPackageError
from ldvd_lib.data import actions, archives, decode, download, transfer

cases, FILE, NEW = json.loads(sys.argv[1]), *sys.argv[2:]
for case in cases:
    try:
        eval(case)
    except MissingPackageError as error:
        cases[case] = str(error)
print(json.dumps(cases))
"""


def test_what_is_missing_is_said_in_words(tmp_path) -> None:
    done = on_bare_machine(TRY, json.dumps(dict.fromkeys(MISSING)), __file__, str(tmp_path / "new" / "place"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == MISSING
    assert not list(tmp_path.glob("new/*.unfinished"))


def test_a_package_that_fails_within_is_not_called_missing(tmp_path, monkeypatch) -> None:
    from ldvd_lib._kit.packages import MissingPackageError, needed

    (tmp_path / "half_a_package.py").write_text("import another_package_that_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="another_package") as raised, needed("half_a_package", "to test"):
        import half_a_package  # noqa: F401
    assert not isinstance(raised.value, MissingPackageError)
    message = r"'no_package' is needed to test, and it is not installed: pip install no_package$"
    with pytest.raises(MissingPackageError, match=message), needed("no_package", "to test"):
        import no_package.inner  # noqa: F401
