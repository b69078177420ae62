"""I3D, the network behind the Fréchet video distance: Inception-v1 inflated to 3D.

Sources: Carreira & Zisserman 2017, "Quo Vadis, Action Recognition?"; Unterthiner et al. 2018 (FVD). Layer table in
MODELS §11. The modules carry the names of the widely used PyTorch weights, so that these load as they are;
`ldvd_lib.metrics.i3d_weights` gets DeepMind's own.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, pad, relu

from ldvd_lib._kit.checks import one_of
from ldvd_lib._kit.files import save_tensors
from ldvd_lib.metrics.network import FeatureNetwork
from ldvd_lib.metrics.weights import match_weights, read_tensors, require_file

# Of each Inception block: the four branches, 1³; 1³→3³; 1³→3³; pool→1³.
BLOCKS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
LAYERS = ("pooled", "logits")
# The conversion by the authors of StyleGAN-V (Skorokhodov et al. 2022): 51,235,320 bytes.
SCRIPT_URL = "https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt?dl=1"
SCRIPT_SHA256 = "bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2"
MIN_FRAMES = 9


def pad_same(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    """Zeros around ``(..., T, H, W)`` as TensorFlow's "SAME" has them: the odd one goes to the end."""
    amounts: list[int] = []
    for length, k, s in reversed(list(zip(x.shape[-3:], kernel, stride, strict=True))):
        total = max((-(-length // s) - 1) * s + k - length, 0)
        amounts += [total // 2, total - total // 2]
    return pad(x, amounts)


def max_pool_same(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    """Max pooling with "SAME" padding. All inputs have gone through a ReLU, so zeros do not win by themselves.

    The maximum of a box is that of its rows' maxima: an axis at a time, it takes 6 comparisons for 27 values instead of
    26, and the result is the same. The whole network is 1.7 times as quick on a CPU (benchmarks/i3d.py).
    """
    x = pad_same(x, kernel, stride)
    for axis, (k, s) in enumerate(zip(kernel, stride, strict=True), start=x.ndim - 3):
        last = x.shape[axis] - k  # where the last window may start
        starts = [
            x.narrow(axis, first, last + 1)[(slice(None),) * axis + (slice(None, None, s),)] for first in range(k)
        ]
        x = reduce(torch.maximum, starts)
    return x


class Unit(nn.Module):
    """Convolution without bias, batch normalisation, ReLU; "SAME" padding."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = (kernel,) * 3, (stride,) * 3
        self.conv3d = nn.Conv3d(in_channels, out_channels, kernel, stride=stride, bias=False)
        self.bn = nn.BatchNorm3d(out_channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in_channels, T, H, W)`` → ``(N, out_channels, T', H', W')``."""
        return relu(self.bn(self.conv3d(pad_same(x, self.kernel, self.stride))))


class Logits(nn.Module):
    """The last convolution, alone; a module of its own because the weights' names say so."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(in_channels, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in_channels, T, 1, 1)`` → ``(N, num_classes)``: the mean over time."""
        return self.conv3d(x).flatten(2).mean(2)


class Inception(nn.Module):
    """Four branches of different kernels, side by side."""

    def __init__(self, in_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        first, second_in, second, third_in, third, fourth = widths
        self.b0 = Unit(in_channels, first)
        self.b1a, self.b1b = Unit(in_channels, second_in), Unit(second_in, second, 3)
        self.b2a, self.b2b = Unit(in_channels, third_in), Unit(third_in, third, 3)
        self.b3b = Unit(in_channels, fourth)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in_channels, T, H, W)`` → the branches' channels together."""
        pooled = self.b3b(max_pool_same(x, (3, 3, 3), (1, 1, 1)))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), pooled], dim=1)


class I3D(FeatureNetwork):
    """Inception-v1 with kernels in time as well: 12,697,264 parameters with 400 classes.

    Args:
        num_classes: outputs of the last layer (Kinetics-400).
        divisor: of every width; 1 for the published network, 2, 4 or 8 for one that is quick to test with.
    """

    def __init__(self, num_classes: int = 400, divisor: int = 1) -> None:
        super().__init__()
        self.num_classes = num_classes
        one_of("divisor", divisor, (1, 2, 4, 8))
        stem, channels = 64 // divisor, 192 // divisor
        self.Conv3d_1a_7x7 = Unit(3, stem, 7, 2)
        self.Conv3d_2b_1x1 = Unit(stem, stem)
        self.Conv3d_2c_3x3 = Unit(stem, channels, 3)
        for name, published in BLOCKS.items():
            widths = tuple(width // divisor for width in published)
            self.add_module(name, Inception(channels, widths))
            channels = widths[0] + widths[2] + widths[4] + widths[5]
        self.logits = Logits(channels, num_classes)

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        """Both layers that FVD has been computed from.

        Args:
            videos: ``(N, 3, T, 224, 224)`` RGB in [-1, 1], at least 9 frames.

        Returns:
            ``pooled`` ``(N, 1024)``, the mean over time and space before the last layer; ``logits``
            ``(N, num_classes)``.

        Raises:
            ValueError: for videos of another shape.
        """
        if videos.ndim != 5 or videos.shape[1] != 3 or tuple(videos.shape[3:]) != (224, 224):
            raise ValueError(f"I3D takes videos (N, 3, T, 224, 224), got {tuple(videos.shape)}")
        if videos.shape[2] < MIN_FRAMES:
            raise ValueError(f"I3D needs at least {MIN_FRAMES} frames, got {videos.shape[2]}")
        x = max_pool_same(self.Conv3d_1a_7x7(videos), (1, 3, 3), (1, 2, 2))
        x = max_pool_same(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x)), (1, 3, 3), (1, 2, 2))
        x = self._blocks(x, "3b", "3c")
        x = max_pool_same(x, (3, 3, 3), (2, 2, 2))
        x = self._blocks(x, "4b", "4c", "4d", "4e", "4f")
        x = max_pool_same(x, (2, 2, 2), (2, 2, 2))
        x = avg_pool3d(self._blocks(x, "5b", "5c"), (2, 7, 7), stride=1)
        return {"pooled": x.flatten(2).mean(2), "logits": self.logits(x)}

    def _blocks(self, x: Tensor, *names: str) -> Tensor:
        for name in names:
            x = getattr(self, f"Mixed_{name}")(x)
        return x

    def forward(self, videos: Tensor) -> Tensor:
        """Videos → logits ``(N, num_classes)``."""
        return self.activations(videos)["logits"]

    @classmethod
    def from_file(cls, path: str | Path) -> "I3D":
        """The network with published weights: a PyTorch state dict (``.pt``, read as plain tensors) or safetensors.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is damaged or holds other weights.
        """
        what = "PyTorch weights of I3D trained on Kinetics-400 RGB (rgb_imagenet.pt, say)"
        return cls.from_tensors(read_tensors(path, what=what), where=path)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], *, where: str | Path, **options: int) -> "I3D":
        """The network with these weights, in evaluation mode; its kernels lie in memory as a CPU is quickest with them.

        Args:
            tensors: by the names of its state dict.
            where: what they were read from, for messages.
            options: of the network, if it is not the published one.

        Raises:
            ValueError: if they are not the weights of this network.
        """
        with torch.device("meta"):
            network = cls(**options)
        # Files written before 2018 lack this counter, which evaluation does not use.
        counters = {
            name: torch.zeros(tensor.shape, dtype=torch.int64)
            for name, tensor in network.state_dict().items()
            if name.endswith("num_batches_tracked")
        }
        network.load_state_dict(match_weights(network, {**counters, **tensors}, where=where), assign=True)
        network.eval().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch does not declare it
        return network

    def save(self, path: str | Path) -> Path:
        """Write the weights as safetensors, which `from_file` reads too."""
        return save_tensors(path, self.state_dict())


class ScriptedI3D(FeatureNetwork):
    """The TorchScript file of I3D that most FVD code uses: a conversion of the original network, logits alone.

    Args:
        scripted: what the file holds. It is called with videos and ``rescale=False, resize=False,
            return_features=True``: videos in [-1, 1] of 224 px in, logits out.
    """

    def __init__(self, scripted: nn.Module) -> None:
        super().__init__()
        self.scripted = scripted

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        """``(N, 3, T, 224, 224)`` RGB in [-1, 1] → ``logits`` ``(N, num_classes)``."""
        return {"logits": self.scripted(videos, rescale=False, resize=False, return_features=True)}

    @classmethod
    def from_file(cls, path: str | Path) -> "ScriptedI3D":
        """Read ``i3d_torchscript.pt``, the published file and no other: opening TorchScript runs the code in it.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is another file.
        """
        path = require_file(path, what="I3D trained on Kinetics-400 as TorchScript (i3d_torchscript.pt)")
        content = path.read_bytes()  # once: what is loaded is what was hashed
        digest = hashlib.sha256(content).hexdigest()
        if digest != SCRIPT_SHA256:
            raise ValueError(
                f"{path} is not the I3D that is published as TorchScript ({len(content):,} bytes with SHA-256 "
                f"{digest:.12}…, expected {SCRIPT_SHA256:.12}…), and is not opened, since TorchScript runs the code in "
                f"it: download it again from {SCRIPT_URL}, or put the weights alone there instead (rgb_imagenet.pt)"
            )
        return cls(torch.jit.load(io.BytesIO(content), map_location="cpu")).eval()
