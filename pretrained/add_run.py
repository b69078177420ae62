"""Put a training run beside this file: its weights, thinned histories, scores, a sheet of samples and a card.

Usage: python pretrained/add_run.py RUN --data actions|ucf101|weizmann [--note "What one sees."] [--discriminators] …

An entry that is there for its discriminators does without the average of its generator (--without-average).

What it writes is a run directory again, with the weights of one step, so that every tool for runs takes it. The
generator's weights are kept in half precision unless samples would change visibly. Everything on the card comes from
the run's files, except the note. An existing entry of the same name is replaced.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from ldvd_lib import video, zoo
from ldvd_lib._kit.drawing import share_palette
from ldvd_lib._kit.files import save_tensors
from ldvd_lib._kit.shelf import CARD, list_weights
from ldvd_lib.gan import VideoGAN
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.metrics import Evaluation
from ldvd_lib.recipe import Recipe
from ldvd_lib.runs import Run
from ldvd_lib.runs.checkpoint import WEIGHTS, load_weights
from ldvd_lib.runs.files import CONFIG, EVALUATION, METRICS, SPECTRUM
from ldvd_lib.runs.results import PAPER_CLIPS, PAPER_STEPS, trained_on
from ldvd_lib.runs.run import AVERAGE, GENERATOR, read_jsonl
from ldvd_lib.runs.sources import digest_weights
from ldvd_lib.training import latents_of_each_class, sample_videos

LARGEST_FILE = 12_000_000  # bytes
MOST_LINES, MOST_BYTES = 200, 100_000  # of a history
MOST_OF_SHEET = 200_000  # bytes
COMPARED = 16  # samples with which half precision is tested
VISIBLE = 2.0  # levels of 255; a larger change of a pixel might be seen
SHEET = "samples.png"

DATA = {"actions": "the built-in actions", "ucf101": "UCF-101", "weizmann": "the Weizmann actions"}
LICENCES = {
    "actions": "The weights are under the project's licence, MIT. They were trained on nothing but our own renderings.",
    "ucf101": (
        "The weights are under the project's licence, MIT. They were trained on footage of "
        "[UCF-101](https://www.crcv.ucf.edu/data/UCF101.php) (Soomro, Zamir and Shah 2012): clips of 101 human actions "
        "that people had put on YouTube, collected for research. The rights in that footage stay with those who made "
        "it. None of it is included here; whoever wants it gets it from its publisher. Samples can come close to clips "
        "that the generator was trained on, all the more where these were few: take them as material for study, and "
        "not as footage of one's own."
    ),
    "weizmann": (
        "The weights are under the project's licence, MIT. They were trained on films of the Weizmann Institute of "
        "Science (Gorelick, Blank, Shechtman, Irani and Basri 2007), as "
        "[MoCoGAN's repository](https://github.com/sergeytulyakov/mocogan) ships them: a few people who wave, jump and "
        "bend. It states no licence for them, and the rights in that footage stay with those who made it. None of it "
        "is included here; whoever wants it gets it from there. Samples show people whom one recognises, since there "
        "are so few: take them as material for study, and not as footage of one's own."
    ),
}


@dataclass(frozen=True)
class Thinned:
    """The lines of a history that are kept, and how many it had."""

    lines: list[str]
    whole: int

    def __str__(self) -> str:
        return f"{len(self.lines)} of {self.whole} lines" if len(self.lines) < self.whole else f"{self.whole} lines"


def thin(records: Iterable[dict[str, Any]], *, lines: int = MOST_LINES, size: int = MOST_BYTES) -> Thinned:
    """Records of evenly spaced steps, with the first and the last, as lines of at most so many bytes.

    A step is kept with all its records. The steps at which an eigenvalue is the largest or smallest of the run are kept
    too, since figures mark them.
    """
    records = list(records)
    steps = list(dict.fromkeys(record["step"] for record in records))
    extremes = set()
    for name in {record["discriminator"] for record in records if "largest" in record}:
        probes = [record for record in records if record["discriminator"] == name]
        extremes |= {max(probes, key=lambda r: r["largest"])["step"], min(probes, key=lambda r: r["smallest"])["step"]}
    for count in range(min(len(steps), lines), 1, -1):
        kept = extremes | {steps[index] for index in np.linspace(0, len(steps) - 1, count).round().astype(int)}
        chosen = [json.dumps(record) + "\n" for record in records if record["step"] in kept]
        if len(chosen) <= lines and sum(map(len, chosen)) <= size:
            return Thinned(chosen, len(records))
    return Thinned([json.dumps(record) + "\n" for record in records], len(records))


def half(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Generators' weights in half precision; statistics, and discriminators for their curvature, stay as they are."""
    return {
        name: tensor.half() if tensor.ndim > 1 and not name.startswith("discriminators.") else tensor
        for name, tensor in weights.items()
    }


def chosen_weights(run: Run, step: int, *, discriminators: bool, average: bool) -> dict[str, Tensor]:
    """The averaged generator if there is one that is wanted, else the generator; with discriminators, all networks."""
    prefixes = [AVERAGE if average and run.config.model.recipe.average else GENERATOR]
    if discriminators:
        prefixes += [GENERATOR, "discriminators."]
    path = next(path for path in run.checkpoints if path.name == f"step_{step:07d}") / WEIGHTS
    return {name: tensor for name, tensor in load_weights(path).items() if name.startswith(tuple(prefixes))}


def difference(one: nn.Module, other: nn.Module) -> tuple[float, float]:
    """The largest and the mean difference between pixels of the same samples, in levels of 255."""
    pixels = [sample_videos(generator, COMPARED) for generator in (one, other)]
    levels = (pixels[0] - pixels[1]).abs() * 127.5
    return levels.max().item(), levels.mean().item()


def save_sheet(generator: VideoGenerator, path: Path) -> None:
    """Draw samples of seed 0, a row each: one of each named class, or eight; fewer if the file is too large."""
    names = generator.class_names
    videos = sample_videos(generator, 8, latents=latents_of_each_class(generator) if names else None)
    scale = video.display_scale(videos.shape[-1], target=64)
    for rows in range(len(videos), 0, -1):
        sheet = video.contact_sheet(videos[:rows], num_frames=8, scale=scale, labels=names[:rows] or None)
        share_palette(np.asarray(sheet)[None])[0].save(path, "PNG", optimize=True)
        if path.stat().st_size <= MOST_OF_SHEET:
            return


def add(
    directory: Path,
    into: Path,
    *,
    data: str,
    name: str = "",
    step: int | None = None,
    discriminators: bool = False,
    average: bool = True,
    float32: bool = False,
    note: str = "",
) -> Path:
    """Make the entry; returns its directory.

    With ``average=False`` the generator is that of the step, and its average over training is left out.

    Raises:
        FileNotFoundError: if `directory` is no run, or has no such checkpoint.
        ValueError: if the weights would be too large a file, or the networks are not those of the zoo's name.
    """
    run = Run.open(directory)
    model = run.config.model
    is_of_zoo, changes = zoo.compare(model)
    if model.name in zoo.ENTRIES and not is_of_zoo:
        raise ValueError(f"the networks are not those of {model.name!r} in the zoo: train them under another name")
    step = run.newest_step if step is None else step
    original = run.generator(step, averaged=average)
    name = name or f"{model.name}-{data}-{original.image_size}"
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=".") as temporary:
        folder = Path(temporary) / name
        weights = folder / "checkpoints" / f"step_{step:07d}" / WEIGHTS
        entry = {
            "kind": "gan",
            "model": model.name,
            "preset": model.preset,
            "data": data,
            "clips": trained_on(run),
            "steps": step,
            "seed": run.config.seed,
            "changes": changes,
            "networks": ["generator"] + ["discriminators"] * discriminators,
            "precision": "float32" if float32 else "float16",
        }
        folder.mkdir()
        shutil.copy(run.directory / CONFIG, folder)
        changed = save_weights(run, original, weights, entry, average=average)
        if weights.stat().st_size > LARGEST_FILE:
            raise ValueError(
                f"{name} would be {weights.stat().st_size / 1e6:.1f} MB, and {LARGEST_FILE / 1e6:.0f} MB is the most: "
                "leave out --discriminators or --float32"
            )
        histories = copy_histories(run, folder, step)
        for path in run.directory.glob(f"evaluations/*-step-{step}/{EVALUATION}"):
            Evaluation.load(path).save(folder / path.relative_to(run.directory))
        kept = Run.open(folder)
        entry["metrics"] = [asdict(evaluation) for evaluation in evaluations(kept)]
        save_sheet(kept.generator(), folder / SHEET)
        size = f"{' and '.join(entry['networks'])}, {weights.stat().st_size / 1e6:.1f} MB"
        left_out = " (without the generator's average)" * (not average)
        about = {"Weights": f"{size}{left_out}; {changed}", "Histories": histories}
        (folder / CARD).write_text(card(name, kept, entry, about, note))
        shutil.rmtree(into / name, ignore_errors=True)
        folder.rename(into / name)
    list_weights(into, name, into / name / weights.relative_to(folder), entry)
    return into / name


def save_weights(run: Run, original: nn.Module, path: Path, entry: dict[str, Any], *, average: bool) -> str:
    """Write a step's weights as the entry says, or in float32 if half precision is visible; returns a description."""
    tensors = chosen_weights(run, entry["steps"], discriminators="discriminators" in entry["networks"], average=average)
    if entry["precision"] == "float32":
        save_tensors(path, tensors)
        return "float32"
    save_tensors(path, half(tensors))
    largest, mean = difference(original, Run.open(path.parents[2]).generator())
    changed = f"the pixels of {COMPARED} samples change by at most {largest:.2g} of 255 levels, {mean:.2g} on average"
    if largest <= VISIBLE:
        return f"generator in half precision, by which {changed}"
    save_tensors(path, tensors)
    entry["precision"] = "float32"
    return f"float32, since in half precision {changed}"


def copy_histories(run: Run, into: Path, step: int) -> str:
    """Thin what a run logged until a step; returns a description of how many lines are left."""
    descriptions = []
    for file in (METRICS, SPECTRUM):
        if (run.directory / file).is_file():
            history = thin(record for record in read_jsonl(run.directory / file) if record["step"] <= step)
            (into / file).write_text("".join(history.lines))
            descriptions.append(f"`{file}`, {history}")
    return "; ".join(descriptions) or "none"


def evaluations(run: Run) -> list[Evaluation]:
    """The evaluations that ``ldvd evaluate`` left in a run."""
    return [Evaluation.load(path) for path in sorted(run.directory.glob(f"evaluations/*/{EVALUATION}"))]


# The card -------------------------------------------------------------------------------------------------------------


def card(name: str, run: Run, entry: dict[str, Any], about: dict[str, str], note: str) -> str:
    """The card of an entry, in Markdown."""
    gan = run.config.model.build()
    facts = {
        "Architecture": architecture(gan),
        "Output": f"{gan.num_frames} RGB frames of {gan.image_size}×{gan.image_size} pixels in [-1, 1]",
        "Data": f"{DATA[entry['data']]}: {entry['clips']}",
        "Steps": f"{entry['steps']:,}, seed {entry['seed']}{duration(run)}",
        "Recipe": recipe_in_words(gan.recipe, entry["changes"]),
        **about,
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in facts.items())
    of_class = ", of the class whose name stands before it" if run.config.class_names else ""
    return f"""# {name}

A generator of videos, trained on {DATA[entry["data"]]} for the course. This directory is that of its training, thinned.

| | |
|---|---|
{table}

```python
from ldvd_lib import SampleBrowser, figures
from ldvd_lib.runs import pretrained

SampleBrowser(pretrained.load("{name}"))
figures.plot_training(pretrained.open_run("{name}"))
```

## Samples

![Samples of {name}: each row is one video, from its first frame to its last]({SHEET})

*The first samples of seed 0, unselected; each row is one video{of_class}.*

{f"{note}{chr(10) * 2}" if note else ""}## Metrics

{metrics(run)}

## Limits

{limits(entry)}

## Licence

{LICENCES[entry["data"]]}
"""


def architecture(gan: VideoGAN) -> str:
    """The model's name in the zoo, and its networks."""
    name, preset = gan.config.name, gan.config.preset
    source = f" ({zoo.ENTRIES[name].source})" if name in zoo.ENTRIES else ""
    parts = [f"`{name}`, preset `{preset}`{source}"]
    for key, network in {"generator": gan.generator, **gan.discriminators}.items():
        called = "generator" if key == "generator" else f"discriminator `{key}`"
        config = gan.config.generator if key == "generator" else gan.config.discriminators[key]
        kinds = f"of {', '.join(config.options['kinds'])} layers" if "kinds" in config.options else ""
        count = sum(parameter.numel() for parameter in network.parameters())
        categories = f", {network.num_categories} categories" if getattr(network, "num_categories", 0) else ""
        parts.append(f"{called} {kinds or f'`{type(network).__name__}`'}{categories}, {count:,} parameters")
    return "; ".join(parts)


def duration(run: Run) -> str:
    """How long the training took by the run's own clock; empty if that is not known."""
    seconds = run.metrics().get("seconds", ())
    return f"; {timedelta(seconds=round(seconds[-1]))} hours by its own clock" if len(seconds) else ""


def recipe_in_words(recipe: Recipe, changes: dict[str, Any]) -> str:
    """Loss, optimiser and constraint, and what differs from the zoo."""
    often = "at every step" if recipe.svc_every == 1 else f"every {recipe.svc_every} steps"
    parts = [
        f"{recipe.loss} loss",
        f"{recipe.optimizer} with rates {recipe.generator_rate:g} (generator) and {recipe.discriminator_rate:g} "
        "(discriminators)",
        f"batches of {recipe.batch_size}, frame stride {recipe.frame_stride}",
        f"singular values clipped {often}" if recipe.svc_every else "no singular value clipping",
        f"generator averaged with a decay of {recipe.average}" if recipe.average else "no average of the generator",
        recipe.precision,
    ]
    if changes:
        parts.append("not as in the zoo: " + ", ".join(f"`{key}={value}`" for key, value in changes.items()))
    return "; ".join(parts)


def metrics(run: Run) -> str:
    """Scores, and the protocols that they depend on."""
    step = run.newest_step
    digest = digest_weights(run.generator(step))
    parts = []
    for evaluation in evaluations(run):
        rows = "\n".join(
            f"| {metric} | {mean:.4g}" + ("" if np.isnan(deviation) else f" ± {deviation:.2g}") + " |"
            for metric, (mean, deviation) in evaluation.summary().items()
        )
        spread = " A ± is between repetitions with other samples of this one training." * (len(evaluation.seeds) > 1)
        parts.append(
            f"Protocol `{evaluation.protocol}` (judge {evaluation.weights[:8]}…), {len(evaluation.seeds)} × "
            f"{evaluation.samples:,} samples; real: {evaluation.real}.{spread}\n\n"
            f"| metric | value |\n|---|---|\n{rows}"
        )
        if not evaluation.name.endswith(f"({digest:.8})"):
            parts.append("Measured before the weights were put into half precision.")
    return "\n\n".join(parts) or "It was not evaluated: there are samples to look at, and no scores."


def limits(entry: dict[str, Any]) -> str:
    """What the entry must not be taken for."""
    sentences = []
    if entry["preset"] == "lite":
        sentences.append(
            "Preset `lite`: half the pixels along each side and a quarter of the channels of the published model. Its "
            "samples and scores cannot be set against those that papers report."
        )
    if entry["steps"] < PAPER_STEPS:
        sentences.append(f"Trained for {entry['steps']:,} steps; the paper's models had {PAPER_STEPS:,}.")
    sentences.append("One training from one seed: another may come out better or worse.")
    if entry["data"] == "actions":
        sentences.append("It knows the rendered actions of the built-in set and nothing else.")
    elif entry["data"] == "weizmann":
        sentences.append("It knows four actions of a few people before a camera that stands still, and nothing else.")
    elif PAPER_CLIPS not in entry["clips"]:
        sentences.append(f"It has seen {entry['clips']}, where the paper's models had {PAPER_CLIPS} of UCF-101.")
    return "\n".join(f"- {sentence}" for sentence in sentences)


def main() -> None:
    """Read the arguments, add the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory, evaluated if there are to be scores")
    parser.add_argument("--data", choices=DATA, required=True, help="what it was trained on")
    parser.add_argument("--name", default="", help="default: MODEL-DATA-PIXELS, such as tgan-f-actions-32")
    parser.add_argument("--step", type=int, help="of which checkpoint (default: the newest)")
    parser.add_argument("--discriminators", action="store_true", help="keep them, and the generator they play against")
    parser.add_argument(
        "--without-average", dest="average", action="store_false", help="keep the generator as it was at the step"
    )
    parser.add_argument("--float32", action="store_true", help="keep the generator's weights as they are")
    parser.add_argument("--note", default="", help="a paragraph for the card, on what the samples show")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="default: beside this file")
    arguments = vars(parser.parse_args())
    print(add(arguments.pop("run"), arguments.pop("out"), **arguments))


if __name__ == "__main__":
    main()
