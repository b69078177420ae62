"""Train the small C3D that the protocol "actions" judges with, and write it beside this file.

Usage: python pretrained/train_classifier.py [--work DIRECTORY] [--steps 400] [--seed 0]

Renders its own actions (another seed than the course's data, 100 clips a class), trains on the train split, prints how
many of the test split's clips and of the course's own data are recognised, and writes the weights and their entry in
index.json. Training takes about two minutes on one core, after the rendering. Another machine rounds differently, so
its weights have another hash, and a protocol with other weights needs another version: see
ldvd_lib/metrics/protocol.py.
"""

import argparse
from pathlib import Path

from ldvd_lib.data import actions, prepare_beside
from ldvd_lib.metrics.classifier import IMAGE_SIZE, save_classifier
from ldvd_lib.training.classifier import accuracy, train_classifier

CLIPS_PER_CLASS, SEED_OF_DATA = 100, 1


def main() -> None:
    """Render, train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("data/classifier"), help="for the data it renders")
    parser.add_argument("--steps", type=int, default=400, help="batches (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and windows (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="default: beside this file")
    arguments = parser.parse_args()

    root = actions.render(arguments.work / "actions", clips_per_class=CLIPS_PER_CLASS, seed=SEED_OF_DATA)
    course = actions.render(arguments.work / "course")
    train = prepare_beside(root, image_size=IMAGE_SIZE)
    network = train_classifier(train, steps=arguments.steps, seed=arguments.seed)
    right = {
        "train": accuracy(network, train),
        "test": accuracy(network, prepare_beside(root, image_size=IMAGE_SIZE, subset="test")),
        "course's data": accuracy(network, prepare_beside(course, image_size=IMAGE_SIZE, subset="all")),
    }
    record = {
        "data": f"actions.render(clips_per_class={CLIPS_PER_CLASS}, seed={SEED_OF_DATA}), train split",
        "steps": arguments.steps,
        "seed": arguments.seed,
        "accuracy": right,
    }
    print(save_classifier(network, arguments.out, classes=train.class_names, **record), right)


if __name__ == "__main__":
    main()
