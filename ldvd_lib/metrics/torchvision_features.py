"""Any of torchvision's video classifiers as a feature network."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ldvd_lib._torchvision import torchvision
from ldvd_lib.metrics.preparation import resize
from ldvd_lib.metrics.weights import match_weights, read_tensors


class TorchvisionFeatures(nn.Module):
    """A video classifier of torchvision, and what reaches its last layer.

    Args:
        name: as `torchvision.models` lists it: r3d_18, mc3_18, r2plus1d_18, s3d, mvit_v2_s, swin3d_t, …
        weights: a local file of its published weights (Kinetics-400), ``.pth`` or ``.safetensors``; None leaves the
            network as it is initialised.

    Attributes:
        image_size: pixels that the published weights were evaluated at.

    Raises:
        ValueError: for another name, or a file that holds other weights.
        FileNotFoundError: if there is no such file.
    """

    def __init__(self, name: str, weights: str | Path | None = None) -> None:
        super().__init__()
        known = torchvision.models.list_models(module=torchvision.models.video)
        if name not in known:
            raise ValueError(f"torchvision has no video model {name!r}: it has {', '.join(known)}")
        self.model = torchvision.models.get_model(name, weights=None)
        published = torchvision.models.get_model_weights(name).DEFAULT.transforms()
        (self.image_size,) = set(published.crop_size)
        self.register_buffer("mean", torch.tensor(published.mean).view(3, 1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(published.std).view(3, 1, 1, 1), persistent=False)
        # The classifier's own layer is the last that has weights, whatever the architecture calls it.
        self._last = [layer for layer in self.model.modules() if isinstance(layer, nn.Linear | nn.Conv3d)][-1]
        if weights is not None:
            what = f"weights of torchvision's {name}"
            self.model.load_state_dict(match_weights(self.model, read_tensors(weights, what=what), where=weights))
        self.eval()

    def prepare(self, videos: Tensor) -> Tensor:
        """``(N, 3, T, H, W)`` in [-1, 1] → `image_size`, bilinear, each colour normalised as in training."""
        return (resize((videos + 1) / 2, self.image_size, "bilinear") - self.mean) / self.deviation

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        """Prepared videos → ``features`` ``(N, d)``, ``logits`` and ``prob`` ``(N, num_classes)``."""
        reached: list[Tensor] = []
        hook = self._last.register_forward_pre_hook(lambda _, inputs: reached.append(inputs[0]))
        try:
            logits = self.model(videos)
        finally:
            hook.remove()
        # s3d classifies every place of its last map, and takes the mean of that.
        return {
            "features": reached[0].flatten(2).mean(2) if reached[0].ndim > 2 else reached[0],
            "logits": logits,
            "prob": logits.softmax(1),
        }
