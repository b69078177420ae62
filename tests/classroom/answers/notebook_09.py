"""Right and wrong answers to the exercises of 09, with a phrase of the message that names what is wrong."""

import torch
from torch import nn

from ldvd_lib.classroom.exercises.notebook_09 import KINDS
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.generators import TGANGenerator


def doubling(image_size, image_channels=512, base_channels=64, *, normalisation=2, last=1, kernel=16, bias=0):
    before = image_size // 2
    g, d = image_channels * 4 // before, base_channels * before // 8
    generator = kernel * g * (g // 2) + (normalisation + bias) * (g // 2) - last * 27 * (g - g // 2)
    return generator, kernel * d * (2 * d) + (normalisation + bias) * (2 * d) + last * 16 * d


def sizes_of(image_size, image_channels, base_channels):
    """The parameters of both networks, counted."""
    kinds = (*KINDS, "2d")[: (image_size // 4).bit_length() - 1]
    with torch.device("meta"):
        networks = (
            TGANGenerator(image_size, image_channels=image_channels),
            VideoDiscriminator(kinds, image_size, base_channels=base_channels),
        )
    return [sum(parameter.numel() for parameter in network.parameters()) for network in networks]


def doubling_by_building(image_size, image_channels=512, base_channels=64):
    larger, smaller = (sizes_of(size, image_channels, base_channels) for size in (image_size, image_size // 2))
    return larger[0] - smaller[0], larger[1] - smaller[1]


def generator(temporal=4, image=2, size=128):
    widths = tuple(temporal * width for width in (512, 256, 128, 128))
    return TGANGenerator(size, temporal_channels=widths, image_channels=512 * image)


def discriminator(base_channels=128, kinds=KINDS):
    return VideoDiscriminator(kinds, 128, base_channels=base_channels)


def all_networks_by_search():
    """The width at which both together come nearest to 70 million."""
    first = generator()
    count = sum(parameter.numel() for parameter in first.parameters())

    def miss(network: nn.Module) -> float:
        return abs(count + sum(parameter.numel() for parameter in network.parameters()) - 70e6)

    return first, min((discriminator(width) for width in (64, 96, 128, 192)), key=miss)


def layer_bytes(in_channels, out_channels, num_frames, size, inplace=True, *, inputs=0, maps=(2, 3)):
    outputs = maps[0] if inplace else maps[1]
    return 4 * num_frames * (inputs * in_channels * size**2 + outputs * out_channels * (size // 2) ** 2)


def layer_bytes_of_tensors(in_channels, out_channels, num_frames, size, inplace=True):
    result = torch.empty(out_channels, num_frames, size // 2, size // 2, device="meta")
    return sum(result.element_size() * result.numel() for _ in range(2 if inplace else 3))


STUBS = {
    "09.1": lambda image_size, image_channels=512, base_channels=64: None,
    "09.2": lambda: None,
    "09.3": lambda in_channels, out_channels, num_frames, size, inplace=True: None,
}
RIGHT = {
    "09.1": (
        doubling,
        doubling_by_building,
        lambda *sizes: list(map(float, doubling(*sizes))),
        lambda *sizes: tuple(torch.tensor(gain) for gain in doubling(*sizes)),
    ),
    "09.2": (
        lambda: (generator(), discriminator()),
        lambda: [generator(), discriminator()],
        all_networks_by_search,
    ),
    "09.3": (
        layer_bytes,
        layer_bytes_of_tensors,
        lambda *layer: layer_bytes(*layer) + 8 * layer[1],  # right with the statistics, too
        lambda *layer: torch.tensor(layer_bytes(*layer)),
    ),
}
WRONG = {
    "09.1": (
        (lambda *sizes: doubling(*sizes, normalisation=0), "normalisation: a scale and an offset"),
        (lambda *sizes: doubling(*sizes, normalisation=1), "has two numbers for each channel"),
        (lambda *sizes: doubling(*sizes, last=0), "last layer now meets another number of channels"),
        (lambda *sizes: doubling(*sizes, normalisation=0, last=0), "and the change of the last layer"),
        (lambda *sizes: doubling(*sizes, last=-1), "the wrong way round: does it get more channels"),
        (lambda *sizes: doubling(*sizes, kernel=9), "as 3×3, and is 4×4"),
        (lambda *sizes: doubling(*sizes, kernel=64), "does not look at time"),
        (lambda *sizes: doubling(*sizes, bias=1), "a bias has been counted"),
        (lambda *sizes: doubling(*sizes)[::-1], "have changed places"),
        (lambda *sizes: sizes_of(*sizes), "all parameters of the generator"),
        (lambda *sizes: [-gain for gain in doubling(*sizes)], "the smaller size has been taken"),
        (lambda *sizes: sum(doubling(*sizes)), "two numbers"),
        (lambda *sizes: (*doubling(*sizes), 0), "two numbers"),
        (lambda *sizes: (7_792, 8_398_848), None),
    ),
    "09.2": (
        (lambda: (generator(), discriminator(64)), "look at the discriminator (11.2M)"),
        (lambda: (generator(), discriminator(256)), "look at the discriminator (179"),
        (lambda: (generator(), discriminator(64, (*KINDS, "2d"))), "five layers"),
        (lambda: (generator(), discriminator(128, ("2+1d", *["2d"] * 4))), "five layers"),
        (lambda: (generator(4, 1), discriminator()), "image half of the generator (2 times"),
        (lambda: (generator(1, 2), discriminator()), "temporal half of the generator (4 times"),
        (lambda: (generator(8, 2), discriminator(64)), "temporal half of the generator (4 times"),
        (lambda: (generator(4, 4), discriminator(64)), "image half of the generator (2 times"),
        (lambda: (discriminator(), generator()), "in this order"),
        (lambda: (generator(size=64), VideoDiscriminator(KINDS[:4], 64)), "128 pixels"),
        (lambda: generator(), "a TGANGenerator and a VideoDiscriminator"),
        (lambda: (TGANGenerator, VideoDiscriminator), "in this order"),
    ),
    "09.3": (
        (lambda *layer: layer_bytes(*layer, maps=(1, 3)), "one of the two is missing"),
        (lambda *layer: layer_bytes(*layer, maps=(3, 3)), "has been overwritten"),
        (lambda *layer: layer_bytes(*layer, maps=(2, 2)), "not in place, the number of bytes that are kept is not"),
        (lambda *layer: layer_bytes(*layer, maps=(2, 1)), "two of the three are missing"),
        (lambda *layer: layer_bytes(*layer, inputs=1, maps=(1, 2)), "was counted with the layer before"),
        (lambda *layer: layer_bytes(*layer, inputs=1, maps=(2, 2)), "was counted with the layer before"),
        (lambda *layer: layer_bytes(*layer, inputs=1, maps=(0, 0)), "was counted with the layer before"),
        (lambda *layer: layer_bytes(*layer) // 4, "not bytes"),
        (lambda i, o, frames, size, inplace: layer_bytes(i, o, 1, size, inplace), "single frame"),
        (lambda *layer: layer_bytes(*layer, maps=(8, 12)), "has half the size"),
        (lambda *layer: layer_bytes(*layer, maps=(4, 6)), "the stride halves both sides"),
        (lambda i, o, frames, size, inplace: 64 * i * o, "these are the weights"),
        (lambda *sizes: 5, None),
        (lambda *sizes: "many", "should be one number"),
    ),
}
