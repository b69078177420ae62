"""Named, versioned protocols: a score means something only with all of this beside it.

Sources: MODELS §5; TGAN's ``evaluation/calc_inception.py``; LDVD paper, experiments; TGANv2; Unterthiner et al. 2018.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ldvd_lib.data.transfer import file_sha256
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.classifier import load_classifier
from ldvd_lib.metrics.i3d import I3D, ScriptedI3D
from ldvd_lib.metrics.preparation import Preparation, for_c3d, for_i3d, for_small_c3d, read_mean

C3D_WEIGHTS, C3D_MEAN = "conv3d_deepnetA_ucf.npz", "mean2.npz"
I3D_SCRIPT, I3D_WEIGHTS = "i3d_torchscript.pt", "rgb_imagenet.pt"


@dataclass(frozen=True)
class Protocol:
    """How videos are judged.

    Attributes:
        name: its key in `PROTOCOLS`.
        version: raised whenever a number could change.
        network: ``"c3d"`` (TGAN's weights), ``"i3d"`` (Kinetics-400) or ``"actions"`` (our small C3D).
        layer: whose activations the Fréchet and kernel distances compare.
        inception_score: whether it is part of the protocol; I3D's classes are not UCF-101's.
        samples: generated videos in a repetition.
        repeats: repetitions, with other latents; their deviation is reported.
        num_frames: frames of a video, consecutive; real clips give a window at a random place.
        description: in words.
    """

    name: str
    version: int
    network: str
    layer: str
    inception_score: bool
    samples: int
    repeats: int
    num_frames: int = 16
    description: str = ""

    @property
    def identity(self) -> str:
        """Name and version, as results carry them."""
        return f"{self.name}-v{self.version}"


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "tgan-2017",
            1,
            "c3d",
            "fc7",
            True,
            # The code asks for 10,000 and takes whole batches of 48.
            samples=9_984,
            repeats=4,
            description="Saito et al. 2017: C3D of UCF-101, bicubic 128 px, centre 112; IS over all samples, no splits",
        ),
        Protocol(
            "ldvd-2019",
            1,
            "c3d",
            "fc7",
            True,
            samples=10_000,
            repeats=4,
            description="LDVD: as tgan-2017, and the Fréchet distance of fc7 (here after its ReLU) to the training set",
        ),
        Protocol(
            "tganv2-2018",
            1,
            "c3d",
            "fc7",
            True,
            samples=2_048,
            repeats=10,
            description="Saito et al. 2018 (TGANv2): as tgan-2017 with 2,048 samples, ten times",
        ),
        Protocol(
            "fvd-2048",
            1,
            "i3d",
            "logits",
            False,
            samples=2_048,
            repeats=1,
            description="Unterthiner et al. 2018: Fréchet distance of the logits of I3D, bilinear 224 px",
        ),
        Protocol(
            "actions",
            1,
            "actions",
            "fc7",
            True,
            samples=1_024,
            repeats=3,
            description="ours, offline: a small C3D trained on the built-in actions, 32 px; compare only with itself",
        ),
    )
}


def get(name: str) -> Protocol:
    """The protocol of a name.

    Raises:
        ValueError: for an unknown one.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"protocol {name!r} is unknown: choose one of {sorted(PROTOCOLS)}")
    return PROTOCOLS[name]


@dataclass(frozen=True, eq=False)
class Judge:
    """A protocol with its network loaded.

    Attributes:
        protocol: which.
        network: with an ``activations`` method, in evaluation mode.
        prepare: videos in [-1, 1] → what the network takes.
        weights: SHA-256 of the network's file.
    """

    protocol: Protocol
    network: nn.Module
    prepare: Preparation
    weights: str


def open_judge(name: str, directory: str | Path | None = None) -> Judge:
    """Load a protocol's network.

    Args:
        name: a key of `PROTOCOLS`.
        directory: where the published weights are: ``conv3d_deepnetA_ucf.npz`` and ``mean2.npz`` for C3D,
            ``i3d_torchscript.pt`` or ``rgb_imagenet.pt`` for I3D. The protocol ``"actions"`` needs none; ours come with
            the course.

    Raises:
        ValueError: for an unknown protocol, a protocol that needs a directory and gets none, or files of other content.
        FileNotFoundError: if a file is not there, saying where to get it.
    """
    protocol = get(name)
    if protocol.network == "actions":
        network, digest = load_classifier()
        return Judge(protocol, network, for_small_c3d(network.image_size), digest)
    if directory is None:
        files = {"c3d": f"{C3D_WEIGHTS} and {C3D_MEAN}", "i3d": f"{I3D_SCRIPT} (or {I3D_WEIGHTS})"}[protocol.network]
        raise ValueError(
            f"protocol {name!r} judges with published weights, which are not part of the course: download {files} "
            "and say in which directory they are (--weights)"
        )
    directory = Path(directory)
    if protocol.network == "c3d":
        mean = read_mean(directory / C3D_MEAN)
        network = C3D.from_chainer(directory / C3D_WEIGHTS)
        return Judge(protocol, network, for_c3d(mean), file_sha256(directory / C3D_WEIGHTS))
    # Two conversions of the same weights; the result carries the hash of the one that judged.
    script = directory / I3D_SCRIPT
    path, reader = (script, ScriptedI3D) if script.is_file() else (directory / I3D_WEIGHTS, I3D)
    return Judge(protocol, reader.from_file(path), for_i3d, file_sha256(path))
