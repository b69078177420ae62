"""Image and video discriminators side by side: who sees what.

A GAN may have any number of discriminators. One that was built for a single frame is an image discriminator: it sees
one frame of each video, drawn at random. Every other sees whole videos. Each has its own optimiser.

Source: Tulyakov et al. 2018, section 3.2; LDVD paper, Table 2.
"""

import torch
from torch import Tensor, nn


def sees_single_frames(discriminator: nn.Module) -> bool:
    """Whether a discriminator judges single frames."""
    return discriminator.num_frames == 1


def random_frames(n: int, num_frames: int, generator: torch.Generator) -> Tensor:
    """Which frame of each of `n` videos to look at: ``(n,)`` int64, uniform, on the generator's device."""
    return torch.randint(num_frames, (n,), generator=generator, device=generator.device)


def pick_frames(videos: Tensor, frames: Tensor) -> Tensor:
    """One frame of each video: ``(N, C, T, H, W)`` and ``(N,)`` → ``(N, C, 1, H, W)``."""
    rows = torch.arange(len(videos), device=videos.device)
    return videos[rows, :, frames.to(videos.device)].unsqueeze(2)
