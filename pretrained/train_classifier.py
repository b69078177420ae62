"""Train a small C3D that a protocol judges with, and write it beside this file.

Usage: python pretrained/train_classifier.py [actions] [--work DIRECTORY] [--steps 400] [--seed 0]
       python pretrained/train_classifier.py actions-order [--work DIRECTORY] [--steps 900] [--seed 0]
       python pretrained/train_classifier.py weizmann [--weizmann data/weizmann] [--steps 150] [--seed 0]
       python pretrained/train_classifier.py weizmann --measure [--weizmann data/weizmann]

For the protocol "actions" it renders its own actions (another seed than the course's data, 100 clips a class), trains
on the train split, and prints how many of the test split's clips and of the course's own data are recognised. Training
takes about two minutes on one core, after the rendering.

For the protocol "actions-order" it trains on the same clips to tell whether frames are shown forwards, backwards or
shuffled, and prints how often that is told of windows of the test split, by order and by class. Training takes about
five minutes on one core.

For the protocol "weizmann" it trains on the clips of seven people, and prints how many windows of the other two are
recognised; what the same training comes to when each person in turn is held out; and how well it can be told who it is,
in the second half of clips by those who learned from the first. Eleven trainings take about four minutes on one core.
Then it measures what the network goes by: windows backwards, as stills, at another speed; and what is no action at all.
With --measure that is all: nothing is trained, and the course's own judge is measured.

The weights and their entry in index.json are written. Another machine rounds differently, so its weights have another
hash, and a protocol with other weights needs another version: see ldvd_lib/metrics/protocol.py.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ldvd_lib._kit import shelf
from ldvd_lib.data import ClipStore, actions, prepare_beside, weizmann
from ldvd_lib.metrics import C3D
from ldvd_lib.metrics.classifier import CLASSIFIERS, IMAGE_SIZE, ORDERS, SMALL, load_classifier, save_classifier
from ldvd_lib.metrics.protocol import PROTOCOLS
from ldvd_lib.training.classifier import accuracy, order_accuracy, train_classifier, window_accuracy
from ldvd_lib.video import to_float

CLIPS_PER_CLASS, SEED_OF_DATA = 100, 1  # of the rendered actions
STEPS = {"actions": 400, "actions-order": 900, "weizmann": 150}
STRIDE = PROTOCOLS["weizmann"].frame_stride
BATCH_SIZE = 16  # with 28 clips
EVERY = 2  # frames from one window to the next, where accuracy is counted by windows
EVERY_OF_ACTIONS = 8  # as they have more clips


def train_on_actions(work: Path, steps: int, seed: int) -> tuple[C3D, list[str], dict[str, Any]]:
    """The network, its classes, and what the index says of it."""
    root = actions.render(work / "actions", clips_per_class=CLIPS_PER_CLASS, seed=SEED_OF_DATA)
    course = actions.render(work / "course")
    train = prepare_beside(root, image_size=IMAGE_SIZE)
    network = train_classifier(train, steps=steps, seed=seed)
    right = {
        "train": accuracy(network, train),
        "test": accuracy(network, prepare_beside(root, image_size=IMAGE_SIZE, subset="test")),
        "course's data": accuracy(network, prepare_beside(course, image_size=IMAGE_SIZE, subset="all")),
    }
    record = {
        "data": f"actions.render(clips_per_class={CLIPS_PER_CLASS}, seed={SEED_OF_DATA}), train split",
        "steps": steps,
        "seed": seed,
        "accuracy": right,
    }
    return network, train.class_names, record


def train_on_order(work: Path, steps: int, seed: int) -> tuple[C3D, list[str], dict[str, Any]]:
    """The network, what it tells apart, and what the index says of it."""
    root = actions.render(work / "actions", clips_per_class=CLIPS_PER_CLASS, seed=SEED_OF_DATA)
    train = prepare_beside(root, image_size=IMAGE_SIZE)
    test = prepare_beside(root, image_size=IMAGE_SIZE, subset="test")
    network = train_classifier(train, steps=steps, orders=True, seed=seed)

    def by_order(shares: np.ndarray) -> dict[str, float]:
        return dict(zip(ORDERS, shares.mean(0).tolist(), strict=True))

    shares = order_accuracy(network, test, every=EVERY_OF_ACTIONS)
    record = {
        "data": f"actions.render(clips_per_class={CLIPS_PER_CLASS}, seed={SEED_OF_DATA}), train split",
        "steps": steps,
        "seed": seed,
        "accuracy": {
            "train": by_order(order_accuracy(network, train, every=EVERY_OF_ACTIONS)),
            "test": by_order(shares),
            "test by class": {
                name: by_order(shares[test.labels == label]) for label, name in enumerate(test.class_names)
            },
        },
    }
    return network, list(ORDERS), record


def train_on_weizmann(root: Path, steps: int, seed: int) -> tuple[C3D, list[str], dict[str, Any]]:
    """The network, its classes, and what the index says of it."""
    options = {"steps": steps, "seed": seed}
    network, train, shares = train_and_test(root, fold=1, **options)
    # (people, classes)
    left_out = np.array([train_and_test(root, fold=2 + person, **options)[2] for person in range(9)])
    right = {
        "train": train,
        "test": shares.mean(),
        **{f"test, {name}": share for name, share in zip(weizmann.CLASSES, shares, strict=True)},
        "one left out": left_out.mean(),
        **{f"one left out, {name}": share for name, share in zip(weizmann.CLASSES, left_out.mean(0), strict=True)},
        **{f"person {1 + person} left out": share for person, share in enumerate(left_out.mean(1))},
        **tell_people_apart(network, weizmann.load(root, image_size=IMAGE_SIZE), **options),
    }
    record = {
        "data": "weizmann.load(image_size=32), train split",
        **options,
        "batch_size": BATCH_SIZE,
        "frame_stride": STRIDE,
        "accuracy": {name: float(share) for name, share in right.items()},
        "limits": what_it_goes_by(network, root, seed=seed),
    }
    return network, list(weizmann.CLASSES), record


def train_and_test(root: Path, *, fold: int, steps: int, seed: int) -> tuple[C3D, float, np.ndarray]:
    """The network of a fold; the share of windows of training clips that it recognises; and of each class, held out.

    Shares are means over clips.
    """
    train = weizmann.load(root, image_size=IMAGE_SIZE, fold=fold)
    test = weizmann.load(root, image_size=IMAGE_SIZE, fold=fold, subset="test")
    network = train_classifier(train, steps=steps, stride=STRIDE, batch_size=BATCH_SIZE, seed=seed)
    shares = window_accuracy(network, test, stride=STRIDE, every=EVERY)
    by_class = np.array([shares[test.labels == label].mean() for label in range(len(weizmann.CLASSES))])
    return network, float(window_accuracy(network, train, stride=STRIDE, every=EVERY).mean()), by_class


def tell_people_apart(judge: C3D, store: ClipStore, *, steps: int, seed: int) -> dict[str, float]:
    """How well it can be told who it is: learned from the first half of each clip, asked of windows of the second.

    Windows are of consecutive frames, since the half of a short clip has no more. Once by a network of the judge's own
    kind, trained for it; and once by a linear read-out of what the judge, which was trained to tell actions, knows.
    """
    half = halves(store)
    network = train_classifier(half["first"], steps=steps, batch_size=BATCH_SIZE, seed=seed)
    return {
        "who it is, a network of its own": float(window_accuracy(network, half["second"], every=EVERY).mean()),
        "who it is, read out of fc7": read_out(judge, half),
    }


def halves(store: ClipStore) -> dict[str, ClipStore]:
    """The first and the second half of each clip of a store, labelled with who it is."""
    groups = [int(name.split("_")[2].removeprefix("g")) for name in store.names]
    people = sorted(set(groups))
    labels = [people.index(group) for group in groups]
    half: dict[str, ClipStore] = {}
    for part in ("first", "second"):
        middle = [len(clip) // 2 for clip in store]
        clips = [clip[:m] if part == "first" else clip[m:] for clip, m in zip(store, middle, strict=True)]
        half[part] = ClipStore.from_clips(clips, labels=labels, class_names=[str(group) for group in people])
    return half


def read_out(judge: C3D, half: dict[str, ClipStore]) -> float:
    """The share of windows of the second halves whose person a linear read-out of fc7, of the first halves, names."""
    features, targets = features_of(judge, half["first"])
    mean, deviation = features.mean(0), features.std(0).clamp_min(1e-6)

    def standardized(values: torch.Tensor) -> torch.Tensor:
        return torch.cat([(values - mean) / deviation, torch.ones(len(values), 1)], 1)

    inputs, wanted = standardized(features), torch.nn.functional.one_hot(targets).float()
    ridge = len(inputs) * 1e-2 * torch.eye(inputs.shape[1])
    readout = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ wanted)
    features, targets = features_of(judge, half["second"])
    told = (standardized(features) @ readout).argmax(1) == targets
    return float(told.double().mean())


@torch.no_grad()
def features_of(judge: C3D, store: ClipStore) -> tuple[torch.Tensor, torch.Tensor]:
    """The judge's fc7 of windows of every clip, (N, hidden), and the clips' labels, (N,)."""
    features, targets = [], []
    for clip, label in zip(store, store.labels, strict=True):
        starts = np.arange(0, len(clip) - judge.num_frames + 1, EVERY)
        windows = torch.from_numpy(clip[starts[:, None] + np.arange(judge.num_frames)])
        features.append(judge.activations(to_float(windows).permute(0, 4, 1, 2, 3))["fc7"])
        targets.append(torch.full((len(starts),), int(label)))
    return torch.cat(features), torch.cat(targets)


class Shown:
    """A network before which windows are shown in another way: in its place in `window_accuracy`."""

    def __init__(self, network: C3D, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.network, self.change, self.num_frames = network, change, network.num_frames
        self.confidences: list[torch.Tensor] = []

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        logits = self.network(self.change(windows))
        self.confidences.append(logits.softmax(1).amax(1))
        return logits


def what_it_goes_by(judge: C3D, root: Path, *, seed: int) -> dict[str, float]:
    """What the judge makes of windows that are not as it knows them: shares of those recognised, means over clips.

    Of the two people held out, but for those played backwards, which are of the training clips too; how sure the judge
    is of stills, of a grey screen and of white noise; and how well the read-out of `read_out` tells people apart from
    a network of its kind before training.
    """
    train, test = (weizmann.load(root, image_size=IMAGE_SIZE, subset=subset) for subset in ("train", "test"))

    def shares(change: Callable[[torch.Tensor], torch.Tensor], store: ClipStore, stride: int = STRIDE) -> np.ndarray:
        return window_accuracy(Shown(judge, change), store, stride=stride, every=EVERY)

    still = Shown(judge, lambda windows: windows[:, :, :1].expand_as(windows))
    held = window_accuracy(still, test, stride=STRIDE, every=EVERY)
    consecutive = shares(lambda windows: windows, test, stride=1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        untrained = C3D(len(weizmann.CLASSES), **SMALL).eval()
        noise = torch.rand(16, 3, judge.num_frames, IMAGE_SIZE, IMAGE_SIZE) * 2 - 1
    with torch.no_grad():
        of_grey, of_noise = (judge(videos).softmax(1).amax(1).mean() for videos in (torch.zeros_like(noise), noise))
    found = {
        "backwards": shares(lambda windows: windows.flip(2), test).mean(),
        "backwards, training clips": shares(lambda windows: windows.flip(2), train).mean(),
        "the first frame held": held.mean(),
        "consecutive frames": consecutive.mean(),
        "consecutive frames, jack": consecutive[test.labels == weizmann.CLASSES.index("jack")].mean(),
        "who it is, read out of fc7 before training": read_out(untrained, halves(train)),
        "confidence, the first frame held": torch.cat(still.confidences).mean(),
        "confidence, a grey screen": of_grey,
        "confidence, white noise": of_noise,
    }
    return {name: float(share) for name, share in found.items()}


def measure(root: Path) -> dict[str, float]:
    """`what_it_goes_by` of the judge that comes with the course, written into its entry."""
    name = CLASSIFIERS["weizmann"]
    judge, _ = load_classifier("weizmann")
    entry = shelf.entry(name)
    limits = what_it_goes_by(judge, root, seed=entry["seed"])
    shelf.list_weights(shelf.directory(), name, shelf.weights_file(name), entry | {"limits": limits})
    return limits


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", choices=list(CLASSIFIERS), default="actions", help="default: %(default)s")
    parser.add_argument("--work", type=Path, default=Path("data/classifier"), help="for the actions that it renders")
    parser.add_argument("--weizmann", type=Path, default=Path("data/weizmann"), help="where they are (%(default)s)")
    parser.add_argument("--measure", action="store_true", help="of weizmann: train nothing, measure the course's judge")
    parser.add_argument("--steps", type=int, help=f"batches (default: {STEPS})")
    parser.add_argument("--seed", type=int, default=0, help="of weights and windows (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="default: beside this file")
    arguments = parser.parse_args()

    if arguments.measure:
        if arguments.data != "weizmann":
            parser.error("--measure is of weizmann")
        print(measure(arguments.weizmann))
        return
    steps = arguments.steps or STEPS[arguments.data]
    if arguments.data == "actions":
        network, classes, record = train_on_actions(arguments.work, steps, arguments.seed)
    elif arguments.data == "actions-order":
        network, classes, record = train_on_order(arguments.work, steps, arguments.seed)
    else:
        network, classes, record = train_on_weizmann(arguments.weizmann, steps, arguments.seed)
    name = CLASSIFIERS[arguments.data]
    print(
        save_classifier(network, arguments.out, classes=classes, name=name, **record),
        record["accuracy"],
        record.get("limits", ""),
    )


if __name__ == "__main__":
    main()
