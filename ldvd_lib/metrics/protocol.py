"""Named, versioned protocols: a score means something only together with all of this.

Sources: MODELS §5; TGAN's ``evaluation/calc_inception.py``; LDVD paper, experiments; TGANv2; Unterthiner et al. 2018.
"""

from dataclasses import dataclass
from pathlib import Path

from ldvd_lib._kit.checks import one_of
from ldvd_lib._kit.files import file_sha256
from ldvd_lib.metrics import i3d_weights
from ldvd_lib.metrics.c3d import C3D
from ldvd_lib.metrics.classifier import CLASSIFIERS, load_classifier
from ldvd_lib.metrics.i3d import I3D, ScriptedI3D
from ldvd_lib.metrics.network import FeatureNetwork, InBfloat16
from ldvd_lib.metrics.preparation import Preparation, for_c3d, for_i3d, for_small_c3d, read_mean

C3D_WEIGHTS, C3D_MEAN = "conv3d_deepnetA_ucf.npz", "mean2.npz"
I3D_SCRIPT, I3D_WEIGHTS = "i3d_torchscript.pt", "rgb_imagenet.pt"
TORCHVISION = "torchvision-"  # a protocol for each of torchvision's video networks has this before the network's name


@dataclass(frozen=True)
class Protocol:
    """How videos are judged.

    Attributes:
        name: what `get` knows it by.
        version: raised whenever a number could change.
        network: ``"c3d"`` (TGAN's weights), ``"i3d"`` (Kinetics-400), ``"actions"``, ``"actions-order"`` or
            ``"weizmann"`` (our small C3Ds), or what torchvision calls its network (Kinetics-400).
        layer: whose activations the Fréchet and kernel distances compare.
        inception_score: whether it is part of the protocol. The score asks how surely a video is one of the data's own
            classes; a network of Kinetics-400 knows other classes, and its answer would not be about the data.
        samples: generated videos in a repetition.
        repeats: repetitions, with other latents; their deviation is reported.
        num_frames: frames of a video; longer clips, real or generated, give a window at a random place.
        frame_stride: distance from one frame to the next, in real clips; generated ones are taken as they are, and
            should have been trained with it.
        precision: of the network's convolutions, ``"float32"`` or ``"bfloat16"``.
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
    frame_stride: int = 1
    precision: str = "float32"
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
            "fvd-2048-stride-2",
            1,
            "i3d",
            "logits",
            False,
            samples=2_048,
            repeats=1,
            frame_stride=2,
            # Real clips at another speed than a generator's would put the difference in speed into the distance.
            description="as fvd-2048, of every second frame: for generators that were trained so",
        ),
        Protocol(
            "fvd-2048-pooled",
            1,
            "i3d",
            "pooled",
            False,
            samples=2_048,
            repeats=1,
            description="as fvd-2048, of the 1,024 features before the logits: another scale, not comparable with it",
        ),
        Protocol(
            "fvd-2048-bfloat16",
            1,
            "i3d",
            "logits",
            False,
            samples=2_048,
            repeats=1,
            precision="bfloat16",
            # With 48 clips of TGAN-F and 48 real ones, logits differ by 0.19 at most (their deviation is 1.7), and
            # FVD by 0.1 %. Quick only on processors that compute in bfloat16 (benchmarks/i3d.py).
            description="as fvd-2048, quick: I3D in bfloat16; compare only with itself",
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
        Protocol(
            "actions-order",
            1,
            "actions-order",
            "fc7",
            False,  # its classes are orders of frames, and a set of clips should not have them in equal parts
            samples=1_024,
            repeats=3,
            description="ours, offline: as actions, but the small C3D has learnt in which order frames are shown and "
            "no classes; compare only with itself",
        ),
        Protocol(
            "weizmann",
            1,
            "weizmann",
            "fc7",
            True,
            samples=1_024,
            repeats=3,
            frame_stride=2,  # as MoCoGAN's authors trained on these clips
            description="ours, offline: a small C3D trained on the Weizmann actions of seven people, 32 px, every "
            "second frame; compare only with itself",
        ),
    )
}


def get(name: str) -> Protocol:
    """The protocol of a name.

    Args:
        name: a key of `PROTOCOLS`; or ``torchvision-`` and a video network of torchvision: ``torchvision-r3d_18``, say.

    Raises:
        ValueError: for an unknown one.
    """
    if not name.startswith(TORCHVISION):
        return PROTOCOLS[one_of("protocol", name, [*sorted(PROTOCOLS), f"{TORCHVISION}NAME"])]
    # Here, since torchvision takes seconds to import, and no other protocol needs it.
    from ldvd_lib.metrics.torchvision_features import video_networks

    one_of("protocol", name, [f"{TORCHVISION}{network}" for network in video_networks()])
    network = name.removeprefix(TORCHVISION)
    return Protocol(
        name,
        1,
        network,
        "features",
        False,
        samples=2_048,  # as for FVD; and more than any of these networks has features
        repeats=3,
        description=f"torchvision's {network} of Kinetics-400: what its last layer is given; bilinear, its own size",
    )


@dataclass(frozen=True, eq=False)
class Judge:
    """A protocol with its network loaded.

    Attributes:
        protocol: which.
        network: in evaluation mode.
        prepare: videos in [-1, 1] → what the network takes.
        weights: SHA-256 of the network's file.
    """

    protocol: Protocol
    network: FeatureNetwork
    prepare: Preparation
    weights: str


def open_judge(name: str, directory: str | Path | None = None, *, progress: bool = True) -> Judge:
    """Load a protocol's network.

    Args:
        name: see `get`.
        directory: where the published weights are: ``conv3d_deepnetA_ucf.npz`` and ``mean2.npz`` for C3D; for I3D what
            `i3d_weights.get` makes (and without a directory, where that puts it), ``i3d_torchscript.pt`` (no other than
            the published file, since opening it runs code; it has the logits alone) or ``rgb_imagenet.pt``. For a
            network of torchvision it is a file, or a directory with a file of the network's name (``r3d_18.pth`` or
            ``r3d_18.safetensors``, say); without it torchvision fetches the weights where there is internet. The
            protocols ``"actions"``, ``"actions-order"`` and ``"weizmann"`` need none; ours come with the course.
        progress: show a progress bar while weights are fetched.

    Raises:
        ValueError: for an unknown protocol, a protocol that needs a directory and gets none, or files of other content.
        FileNotFoundError: if a file is not there, or cannot be fetched, saying where to get it.
        NotADirectoryError: for I3D, if `directory` is a file.
    """
    protocol = get(name)
    if protocol.network in CLASSIFIERS:
        small, digest = load_classifier(protocol.network)
        return Judge(protocol, small, for_small_c3d(small.image_size), digest)
    if protocol.name.startswith(TORCHVISION):
        from ldvd_lib.metrics.torchvision_features import TorchvisionFeatures, weights_file

        path = weights_file(protocol.network, directory, progress=progress)
        features = TorchvisionFeatures(protocol.network, path)
        return Judge(protocol, features, features.prepare, file_sha256(path))
    if protocol.network == "i3d":
        return _open_i3d(protocol, directory)
    if directory is None:
        raise ValueError(
            f"protocol {name!r} judges with published weights, which are not part of the course: download "
            f"{C3D_WEIGHTS} and {C3D_MEAN} and say in which directory they are (--weights)"
        )
    directory = Path(directory)
    mean = read_mean(directory / C3D_MEAN)
    c3d = C3D.from_chainer(directory / C3D_WEIGHTS)
    return Judge(protocol, c3d, for_c3d(mean), file_sha256(directory / C3D_WEIGHTS))


def _open_i3d(protocol: Protocol, directory: str | Path | None) -> Judge:
    """The judge with the first file of I3D's weights that is there; results carry the hash of the one that judged."""
    place = i3d_weights.default_directory() if directory is None else Path(directory)
    if not place.is_dir() and (place.exists() or place.suffix in (".pt", ".safetensors")):
        raise NotADirectoryError(
            f"{place} is no directory: protocol {protocol.name!r} wants the one that holds I3D's weights (--weights "
            f"{place.parent}); `{i3d_weights.GET} --out {place.parent}` puts them there"
        )
    script, weights = place / I3D_SCRIPT, place / I3D_WEIGHTS
    network: FeatureNetwork
    if (place / i3d_weights.WEIGHTS).is_file():
        network, digest = i3d_weights.load(place)
    elif script.is_file() and protocol.layer == "logits":
        network, digest = ScriptedI3D.from_file(script), file_sha256(script)
    elif weights.is_file():
        network, digest = I3D.from_file(weights), file_sha256(weights)
    else:
        out = "" if directory is None else f" --out {place}"
        raise FileNotFoundError(
            f"protocol {protocol.name!r} judges with I3D, whose weights are not part of the course, and are not in "
            f"{place}: get them with `{i3d_weights.GET}{out}`; or say where {I3D_WEIGHTS} or {I3D_SCRIPT} (which has "
            "the logits alone) is (--weights)"
        )
    return Judge(protocol, InBfloat16(network) if protocol.precision == "bfloat16" else network, for_i3d, digest)
