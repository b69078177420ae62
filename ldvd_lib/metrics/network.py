"""What every network that judges videos can do."""

from torch import Tensor, nn


class FeatureNetwork(nn.Module):
    """Prepared videos → the activations of its layers, by name."""

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        """Every layer that a metric asks for.

        Args:
            videos: ``(N, 3, T, H, W)``, prepared as the network needs them.

        Returns:
            Layer → ``(N, width)``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its layers are")
