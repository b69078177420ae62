"""Part 4: published networks trained for the minutes that are left, with what one wants to look at afterwards."""

import functools
import json
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image
from torch import Tensor

from gpu_parts.correctness import trusted
from gpu_parts.report import LATE, Report
from gpu_parts.setting import PRECISIONS, Setting, build, products, wait
from ldvd_lib import video
from ldvd_lib._kit.drawing import WHITE, headings
from ldvd_lib._kit.files import save_tensors
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.runs.files import METRICS, SPECTRUM
from ldvd_lib.runs.run import read_jsonl
from ldvd_lib.training import SpectrumProbe, Trainer, sample_videos
from ldvd_lib.training.loop import TrainingDiverged

MODELS = ("tgan-f", "tgan", "tgan-tsm", "mocogan-f")
SAMPLES, FRAMES = 16, 8  # on a sheet
MOST_OF_FILE, MOST_FILES = 15_500_000, 4  # bytes of a file of weights, and how many of them
MOST_LINES = 150  # of a history
PROBES = 6  # of the curvature in a training
LEAST = 20.0  # seconds below which a training is not worth beginning


class Pace:
    """A callback that times some steps, then sets a probe of the curvature, and ends the training when it is time.

    Args:
        setting: where it is.
        ends: when the training shall end, in seconds since the epoch.

    Attributes:
        of_step: seconds that a step takes without probes; 0 until it is known.
    """

    every = 1
    FIRST = 5  # what is done once, such as choosing algorithms, is not of the step

    def __init__(self, setting: Setting, ends: float) -> None:
        self.setting, self.ends = setting, ends
        self.timed = 5 if setting.lite else 20
        self.of_step = self._since = 0.0

    def __call__(self, trainer: Trainer) -> None:
        """After a step."""
        if trainer.step == self.FIRST:
            wait(self.setting.device)
            self._since = time.perf_counter()
        elif trainer.step == self.FIRST + self.timed:
            wait(self.setting.device)
            self.of_step = (time.perf_counter() - self._since) / self.timed
            trainer.callbacks.append(self._probe(trainer))
        if time.time() >= self.ends:
            trainer.stop()

    def _probe(self, trainer: Trainer) -> SpectrumProbe:
        """So often that it takes about a sixth of the time that is left, judging by the first time."""
        lite = self.setting.lite
        probe = SpectrumProbe(10**9, batch_size=2 if lite else 16, max_products=20 if lite else 60)
        start = time.perf_counter()
        probe(trainer)
        taken, left = time.perf_counter() - start, self.ends - time.time()
        probes = int(min(PROBES, max(1, left / 6 / taken)))
        probe.every = max(1, int((left - probes * taken) / self.of_step / (probes + 0.5)))
        return probe


class Weights:
    """Generators in half precision, several to a file, since there may be few files and none may be large."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files: list[dict[str, Tensor]] = []

    def add(self, name: str, generator: VideoGenerator) -> str:
        """Write one down; returns in which file it is, and how it is called there."""
        state = generator.state_dict()
        tensors = {f"{name}.{key}": (t.half() if t.ndim > 1 else t.clone()).cpu() for key, t in state.items()}
        for number in range(MOST_FILES):
            if number == len(self.files):
                self.files.append({})
            if _bytes(self.files[number]) + _bytes(tensors) <= MOST_OF_FILE:
                self.files[number] |= tensors
                path = save_tensors(self.directory / f"weights-{number + 1}.safetensors", self.files[number])
                return f"{path.name}, under {name}."
        return f"left out: {MOST_FILES} files of weights are full"


def _bytes(tensors: dict[str, Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


class Sheet:
    """Samples of every model beside real clips, a column of sheets for each; a file for each data set."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[Image.Image] = []

    def add(self, label: str, videos: Tensor) -> None:
        """Put one more column on it, and write it."""
        sheet = video.contact_sheet(videos, num_frames=FRAMES)
        strip = Image.fromarray(headings([label], sheet.width, WHITE)[0])
        column = Image.new("RGB", (sheet.width, strip.height + sheet.height), WHITE)
        column.paste(strip, (0, 0))
        column.paste(sheet, (0, strip.height))
        self.columns.append(column)
        gap = 8
        width = sum(c.width + gap for c in self.columns) - gap
        whole = Image.new("RGB", (width, max(c.height for c in self.columns)), WHITE)
        left = 0
        for column in self.columns:
            whole.paste(column, (left, 0))
            left += column.width + gap
        video.save_png(whole, self.path)


def actions_store(setting: Setting, image_size: int) -> ClipStore:
    """The built-in actions, rendered here."""
    from ldvd_lib.data import actions

    if setting.lite:
        size = {"clips_per_class": 2, "frames_per_clip": 32}
    else:
        size = {"clips_per_class": 25, "frames_per_clip": 40}
    return actions.render_store(image_size=image_size, subset="train", progress=False, **size)


def weizmann_store(setting: Setting, image_size: int) -> ClipStore:
    """Real clips, from the folder that was named."""
    from ldvd_lib.data import weizmann

    if setting.weizmann is None:
        raise ValueError("no folder of Weizmann's clips was named")
    return weizmann.load(setting.weizmann, image_size=image_size)


def run(setting: Setting, report: Report) -> None:
    """All of part 4."""
    size = 32 if setting.lite else 64
    makers = ({"weizmann": weizmann_store} if setting.weizmann else {}) | {"actions": actions_store}
    stores: dict[str, ClipStore] = {}
    for name, make in makers.items():

        def prepared(name: str = name, make: Any = make) -> dict[str, Any]:
            stores[name] = make(setting, size)
            return {"store": stores[name].summary()}

        report.item(f"clips: {name}", prepared, seconds=60)
    weights = Weights(setting.out)
    sheets = {name: Sheet(setting.out / f"sheet-{name}.png") for name in stores}
    # Data sets in turns: should time run out, the first models are there for all of them.
    jobs = [(model, name) for model in MODELS for name in stores]
    count = max(1, int(report.left() / (LEAST / 3 if setting.lite else LEAST)))
    closings = [LEAST / 8 if setting.lite else LEAST / 4]
    for number, (model, name) in enumerate(jobs):
        if number >= count:
            report.add(f"training of {model} on {name}", LATE)
            continue
        share = report.left() / (min(count, len(jobs)) - number)
        ends = time.time() + share - 1.3 * closings[-1]
        work = functools.partial(train, setting, model, name, stores[name], sheets[name], weights, ends, closings)
        report.item(f"training of {model} on {name}", work, seconds=share + LEAST, share=1.0)


def fastest(setting: Setting, model: str) -> tuple[str, str]:
    """The precision to train a model in, and why: the fastest of those that compute what the CPU computes."""
    if setting.precision:
        return setting.precision, "named on the command line"
    entries = Report(setting.out, "4", 0).entries()
    rows = [row for entry in entries for row in entry.get("rows") or [] if row.get("step of") == model]
    taken = {row["precision"]: row["ms a step"] for row in rows if row.get("how") == "eager"}
    good = trusted(entries, model)
    timed = [precision for precision in good if precision in taken]
    if not timed:
        return "float32", f"within tolerance: {good or 'not known'}; not timed"
    best = min(timed, key=lambda precision: taken[precision])
    return best, f"the fastest of {', '.join(timed)}, which are within tolerance"


def train(
    setting: Setting,
    model: str,
    name: str,
    store: ClipStore,
    sheet: Sheet,
    weights: Weights,
    ends: float,
    closings: list[float],
) -> dict[str, Any]:
    """Train a model until a time; what is left of it goes into the report and the files, and that also takes time."""
    precision, reason = fastest(setting, model)
    gan = build(model, setting.preset, batch_size=setting.batch_size, precision=PRECISIONS[precision][1])
    sampler = WindowSampler.for_gan(gan, store, short="loop", device=setting.device)
    if not sheet.columns:
        sheet.add(f"{name}: real clips", sampler.peek(_samples(setting)).video.cpu())
    trouble = ""
    with tempfile.TemporaryDirectory() as directory, products(precision):
        pace = Pace(setting, ends)
        trainer = Trainer(
            gan,
            sampler,
            Path(directory) / "run",
            device=setting.device,
            callbacks=[pace],
            log_every=10,
            checkpoint_every=10**9,
            progress=False,
        )
        try:
            trainer.run(10**9)
        except TrainingDiverged as error:
            trouble = str(error)
        wait(setting.device)
        average = trainer.players.average
        # The end of a run has just given an average statistics of its own; an end by divergence has not.
        calibrated = average is not None and not trouble
        generator = cast(VideoGenerator, average.module) if calibrated else trainer.sampling_generator()
        videos = sample_videos(generator, _samples(setting))
        history, spectrum = (_history(trainer.directory / file) for file in (METRICS, SPECTRUM))
    row = {
        "training of": f"{model} on {name}",
        "precision": precision,
        "batch": gan.recipe.batch_size,
        "steps": trainer.step,
        "seconds": round(trainer.seconds, 1),
        "steps/s, with probes": round(trainer.step / max(trainer.seconds, 1e-9), 2),
        "ms a step, without": round(pace.of_step * 1e3, 2),
        "last losses": _last(history, "loss"),
        "largest eigenvalue, first → last": _ends(spectrum),
        "weights": "",
    }
    if bool(videos.isfinite().all()):
        sheet.add(f"{model}, {trainer.step} steps", videos)
        row["weights"] = weights.add(f"{name}.{model}", generator)
    else:
        trouble = f"{trouble}; samples are not finite".strip("; ")
    closings.append(max(time.time() - ends, 0.5))
    about = "rates and first weights of the zoo's lite recipe; not judged: the course's judge sees 32 px"
    values = {"rows": [row], "history": history, "spectrum": spectrum, "why": reason, "about": about}
    return values | ({"trouble": trouble} if trouble else {})


def _samples(setting: Setting) -> int:
    return SAMPLES // 4 if setting.lite else SAMPLES


def _history(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, evenly thinned, with numbers of four digits."""
    if not path.exists():
        return []
    records = read_jsonl(path)
    chosen = sorted(set(np.linspace(0, len(records) - 1, min(MOST_LINES, len(records))).round().astype(int).tolist()))
    rounded = [json.dumps(records[position]) for position in chosen]
    return [json.loads(line, parse_float=lambda text: float(f"{float(text):.5g}")) for line in rounded]


def _last(history: list[dict[str, Any]], ending: str) -> str:
    return ", ".join(f"{k} {v:.3g}" for k, v in (history[-1] if history else {}).items() if k.endswith(ending))


def _ends(spectrum: list[dict[str, Any]]) -> str:
    names = dict.fromkeys(record["discriminator"] for record in spectrum)
    told = []
    for name in names:
        probes = [record for record in spectrum if record["discriminator"] == name]
        told.append(f"{name} {probes[0]['largest']:.3g} → {probes[-1]['largest']:.3g} (step {probes[-1]['step']})")
    return ", ".join(told)
