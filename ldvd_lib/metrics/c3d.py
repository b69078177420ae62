"""C3D, the network behind TGAN's inception score and LDVD's FID.

Sources: Tran et al. 2015, "Learning Spatiotemporal Features with 3D Convolutional Networks"; the fine-tuned weights are
those of TGAN's authors (MODELS §5).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, max_pool3d, relu

from ldvd_lib.metrics.network import FeatureNetwork
from ldvd_lib.metrics.weights import match_weights, read_npz

GROUPS = ("1a",), ("2a",), ("3a", "3b"), ("4a", "4b"), ("5a", "5b")
LAYERS = ("fc6", "fc7", "logits", "prob")


class C3D(FeatureNetwork):
    """Eight 3×3×3 convolutions in five groups, max pooling after each group, three linear layers.

    Args:
        num_classes: outputs of the last layer.
        channels: of each of the five groups.
        hidden: outputs of fc6 and fc7.
        num_frames, image_size: of the videos that it takes. Pooling halves both, rounded up, but for the first, which
            leaves time alone.
        batch_norm: normalise after each convolution; the published network has none, and learns slowly from scratch.
        dropout: after fc6 and fc7, in training.

    The defaults are the published network: 78,409,573 parameters, for 16 frames of 112×112 pixels.
    """

    def __init__(
        self,
        num_classes: int = 101,
        *,
        channels: Sequence[int] = (64, 128, 256, 512, 512),
        hidden: int = 4096,
        num_frames: int = 16,
        image_size: int = 112,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if len(channels) != len(GROUPS):
            raise ValueError(f"channels has {len(channels)} entries, but C3D has {len(GROUPS)} groups of layers")
        self.num_classes, self.num_frames, self.image_size = num_classes, num_frames, image_size
        self.dropout = dropout
        before = 3
        for names, width in zip(GROUPS, channels, strict=True):
            for name in names:
                self.add_module(f"conv{name}", nn.Conv3d(before, width, 3, padding=1))
                self.add_module(f"bn{name}", nn.BatchNorm3d(width) if batch_norm else nn.Identity())
                before = width
        frames, size = num_frames, image_size
        for number in range(len(GROUPS)):
            frames, size = (frames if number == 0 else -(-frames // 2)), -(-size // 2)
        self.fc6 = nn.Linear(before * frames * size * size, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, num_classes)

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        """Every layer that a metric asks for.

        Args:
            videos: ``(N, 3, T, H, W)``, in the network's own colours and scale (see `ldvd_lib.metrics.protocol`).

        Returns:
            ``fc6`` and ``fc7``, ``(N, hidden)``, after the ReLU; ``logits`` and ``prob``, ``(N, num_classes)``.

        Raises:
            ValueError: for videos of another shape.
        """
        expected = (3, self.num_frames, self.image_size, self.image_size)
        if videos.ndim != 5 or tuple(videos.shape[1:]) != expected:
            raise ValueError(f"C3D takes videos (N, {', '.join(map(str, expected))}), got {tuple(videos.shape)}")
        x = videos
        for number, names in enumerate(GROUPS):
            for name in names:
                x = relu(getattr(self, f"bn{name}")(getattr(self, f"conv{name}")(x)))
            # Ceiling mode is Chainer's default, and without it fc6 would not fit.
            x = max_pool3d(x, (1, 2, 2) if number == 0 else 2, ceil_mode=True)
        fc6 = relu(self.fc6(x.flatten(1)))
        fc7 = relu(self.fc7(dropout(fc6, self.dropout, self.training)))
        logits = self.fc8(dropout(fc7, self.dropout, self.training))
        return {"fc6": fc6, "fc7": fc7, "logits": logits, "prob": logits.softmax(1)}

    def forward(self, videos: Tensor) -> Tensor:
        """Videos → logits ``(N, num_classes)``."""
        return self.activations(videos)["logits"]

    @classmethod
    def from_chainer(cls, path: str | Path, **sizes: Any) -> "C3D":
        """The network with the weights of TGAN's authors, ``conv3d_deepnetA_ucf.npz``.

        Args:
            path: the file: arrays ``conv1a/W``, ``conv1a/b`` … ``fc8/b``.
            sizes: the network's arguments, for files of a network of other sizes.

        Raises:
            FileNotFoundError: if the file is not there, saying where to get it.
            ValueError: if it is damaged or holds other weights.
        """
        arrays = read_npz(path, what="TGAN's C3D weights (conv3d_deepnetA_ucf.npz, linked from the TGAN repository)")
        with torch.device("meta"):
            network = cls(**sizes)
        renamed = {name.replace("/W", ".weight").replace("/b", ".bias"): array for name, array in arrays.items()}
        network.load_state_dict(match_weights(network, renamed, where=path), assign=True)
        return network.eval()
