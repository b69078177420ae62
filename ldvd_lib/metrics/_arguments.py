"""What the metrics accept: sets of features, and class probabilities."""

import torch
from torch import Tensor

# Float32 softmax over a few hundred classes sums to 1 within 1e-6; what is farther off than this is not one.
SUM_TOLERANCE = 1e-3


def features_of(features: Tensor, name: str, *, least: int = 2, device: torch.device | None = None) -> Tensor:
    """A set of feature vectors, checked, in float64.

    Args:
        features: ``(n, d)`` of any floating dtype.
        name: what messages call them.
        least: samples needed.
        device: where to put them; default where they are, or the CPU if that device has no float64 (MPS).

    Raises:
        ValueError: if it is not a floating tensor of that shape, holds NaN or infinity, or too few samples.
    """
    if not isinstance(features, Tensor):
        raise ValueError(f"{name} must be a tensor (n, d), got {type(features).__name__}; torch.as_tensor makes one")
    if features.ndim != 2 or features.shape[1] == 0:
        raise ValueError(
            f"{name} must have shape (n, d), a row per sample, got {tuple(features.shape)}; "
            "flatten or pool what one sample gives into one row"
        )
    if not features.is_floating_point():
        raise ValueError(f"{name} must have a floating dtype, got {features.dtype}; are these features, or videos?")
    if len(features) < least:
        raise ValueError(f"{name} needs {least} samples or more, got {len(features)}")
    if device is None and features.device.type == "mps":
        device = torch.device("cpu")
    features = features.detach().to(device or features.device).double()
    if not torch.isfinite(features).all():
        bad = int((~torch.isfinite(features)).any(1).sum())
        raise ValueError(f"{name}: {bad} of {len(features)} samples hold NaN or infinity; look for them in the videos")
    return features


def two_sets(first: Tensor, second: Tensor, names: tuple[str, str], *, least: int = 2) -> tuple[Tensor, Tensor]:
    """Two sets of feature vectors of one width, checked, in float64, on the device of the first.

    Raises:
        ValueError: as `features_of`, or if their widths differ.
    """
    first = features_of(first, names[0], least=least)
    second = features_of(second, names[1], least=least, device=first.device)
    same_width(first.shape[1], second.shape[1], names)
    return first, second


def same_width(first: int, second: int, names: tuple[str, str]) -> None:
    """Refuse to compare features of different networks or layers.

    Raises:
        ValueError: if the widths differ.
    """
    if first != second:
        raise ValueError(
            f"{names[0]} has {first} features and {names[1]} has {second}; take both from the same layer of one network"
        )


def probabilities_of(probabilities: Tensor) -> Tensor:
    """Class probabilities ``(n, num_classes)`` of two samples or more, checked, in float64.

    Raises:
        ValueError: as `features_of`, or if a row is not a distribution.
    """
    probabilities = features_of(probabilities, "probabilities")
    if (smallest := probabilities.min().item()) < 0:
        raise ValueError(
            f"probabilities must not be negative, got {smallest:.4g}; are these logits? take their softmax"
        )
    worst = probabilities.sum(1).sub(1).abs().max().item()
    if worst > SUM_TOLERANCE:
        raise ValueError(
            f"each row of probabilities must sum to 1, and one is off by {worst:.4g}; "
            "take the softmax over the classes, in float32 or better"
        )
    return probabilities
