"""What every network that judges videos can do."""

import torch
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


class InBfloat16(FeatureNetwork):
    """A network whose convolutions and linear layers are computed in bfloat16; weights and results stay float32.

    Args:
        network: the network, in float32.
    """

    def __init__(self, network: FeatureNetwork) -> None:
        super().__init__()
        self.network = network
        self.train(network.training)

    def activations(self, videos: Tensor) -> dict[str, Tensor]:
        """As the network's."""
        with torch.autocast(videos.device.type, torch.bfloat16):
            activations = self.network.activations(videos)
        return {layer: values.float() for layer, values in activations.items()}
