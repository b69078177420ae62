"""Checks of 09, higher resolution."""

import torch
from torch import Tensor, nn

from ldvd_lib.blocks import LayerGeometry, strided_layer
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_equal, expect_number, expect_type
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.generators import TGANGenerator

KINDS = ("2+1d", "2+1d", "2d", "2d", "2d")


@exercise(
    "09.1",
    title="What a doubling adds",
    hints=(
        "How many channels has the last map of each network at half the size? At 64 px it is 32 in the generator, and "
        "512 in the discriminator.",
        "Of c channels, the generator's new layer makes c / 2, so its 3×3 convolution to 3 colours then has fewer "
        "weights; the discriminator's makes 2c, so its 4×4 convolution to one score has more.",
        "With before = image_size // 2: g = 4 * image_channels // before, and the generator gains "
        "16 * g * (g // 2) + 2 * (g // 2) - 27 * (g - g // 2). The discriminator's last map has "
        "d = base_channels * before // 8 channels: go on in the same way.",
    ),
)
def what_a_doubling_adds(added_by_doubling):
    cases = ((256, 512, 64), (128, 512, 64), (128, 1024, 128), (64, 128, 16))
    for image_size, image_channels, base_channels in cases:
        got = attempt(added_by_doubling, image_size, image_channels, base_channels)
        expect_type(got, (tuple, list), "what you return", "two numbers, for the generator and for the discriminator")
        expect(len(got) == 2, f"return two numbers, for the generator and for the discriminator, and not {len(got)}")
        where = f"at image_size {image_size}, with {image_channels} image channels and {base_channels} base channels"
        larger, smaller = (_tgan_f(size, image_channels, base_channels) for size in (image_size, image_size // 2))
        gains = [more - less for more, less in zip(larger, smaller, strict=True)]
        g = 4 * image_channels // (image_size // 2)
        d = base_channels * (image_size // 2) // 8
        # Of each: its gain, then channels into the new layer and out of it, and what the last layer gains.
        for player, gain, expected, other, total, (into, out, last) in zip(
            ("generator", "discriminator"),
            got,
            gains,
            gains[::-1],
            larger,
            ((g, g // 2, -27 * (g - g // 2)), (d, 2 * d, 16 * d)),
            strict=True,
        ):
            expect_equal(
                gain,
                expected,
                f"{where}, what the {player} gains",
                mistakes=(
                    (
                        expected - 2 * out,
                        "the convolution is right; you forgot the new layer's batch normalisation: a scale "
                        "and an offset for each channel",
                    ),
                    (
                        expected - last,
                        f"the convolution is right; you forgot that the {player}'s last layer now meets another "
                        "number of channels",
                    ),
                    (
                        expected - 2 * out - last,
                        "the convolution is right; you forgot the batch normalisation, and the change "
                        "of the last layer",
                    ),
                    (expected - out, "batch normalisation has two numbers for each channel, a scale and an offset"),
                    (expected + out, "a bias has been counted, and the convolution has none"),
                    (
                        expected - 2 * last,
                        "the last layer has been counted the wrong way round: does it get more channels, or fewer?",
                    ),
                    (expected + into * out * (9 - 16), "the new convolution has been counted as 3×3, and is 4×4"),
                    (
                        expected + into * out * 48,
                        "the new convolution has been counted as 4×4×4, and does not look at time",
                    ),
                    (
                        expected + 2 * (into - out),
                        "the normalisation is of the channels that the new layer makes, not of those that it gets",
                    ),
                    (other, "the two have changed places: the generator's gain comes first"),
                    (total, f"these are all parameters of the {player}; how many of them are new?"),
                    (-expected, "the smaller size has been taken for the larger one"),
                ),
            )
    return (
        "With every doubling the generator's new layer is a quarter as large, the discriminator's four times as large: "
        "their widths are fixed at opposite ends."
    )


def _tgan_f(image_size: int, image_channels: int, base_channels: int) -> tuple[int, int]:
    kinds = ("2+1d", "2+1d", "2d", "2d", "2d", "2d")[: (image_size // 4).bit_length() - 1]
    with torch.device("meta"):
        generator = TGANGenerator(image_size, image_channels=image_channels)
        discriminator = VideoDiscriminator(kinds, image_size, base_channels=base_channels)
    return _count(generator), _count(discriminator)


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@exercise(
    "09.2",
    title="The missing 34 million",
    hints=(
        "The row's name speaks of the generator and of the clips. Who is left?",
        "A stack of layers has weights from every channel to every channel: what happens to their number if all widths "
        "are doubled? Compare with what is missing: 34 million beside the discriminator's 11 million.",
        "The generator: temporal_channels=(2048, 1024, 512, 512), image_channels=1024. The discriminator: five layers "
        'of kinds ("2+1d", "2+1d", "2d", "2d", "2d"), and base_channels=128 instead of 64.',
    ),
)
def the_missing_millions(all_networks):
    with torch.device("meta"):
        paper_generator = TGANGenerator(128, temporal_channels=(2048, 1024, 512, 512), image_channels=1024)
        networks = attempt(all_networks)
    expect_type(networks, (tuple, list), "what you return", "a TGANGenerator and a VideoDiscriminator")
    expect(
        len(networks) == 2 and isinstance(networks[0], TGANGenerator) and isinstance(networks[1], VideoDiscriminator),
        "a TGANGenerator and a VideoDiscriminator were expected, in this order",
    )
    generator, discriminator = networks
    sizes = generator.image_size, discriminator.image_size, generator.num_frames, discriminator.num_frames
    expect(sizes == (128, 128, 16, 16), "both networks should be for 16 frames of 128 pixels")
    for part, factor, name in ((generator.temporal, 4, "temporal"), (generator.image, 2, "image")):
        expect_equal(
            _count(part),
            _count(getattr(paper_generator, name)),
            f"the number of parameters in the {name} half of the generator ({factor} times the channels, and no more)",
        )
    expect(
        discriminator.kinds == KINDS,
        f"the discriminator should keep TGAN-F's five layers {KINDS}, and has {discriminator.kinds}: with those given, "
        "what else is there to choose?",
    )
    total = _count(generator) + _count(discriminator)
    expect(
        69.5e6 <= total < 70.5e6,
        f"together the networks have {total / 1e6:.1f}M parameters, and the paper prints 70M; the generator is as the "
        f"row says ({_count(generator) / 1e6:.1f}M), so look at the discriminator ({_count(discriminator) / 1e6:.1f}M)",
    )
    return (
        "Twice the width is four times the weights: 11.2M become 44.9M. More than half of what the row adds is in a "
        "network that its name does not mention."
    )


@exercise(
    "09.3",
    title="What a 2D layer keeps",
    hints=(
        "Each of the three makes a tensor with the same shape. Write it down; then ask of each result who keeps it.",
        "The normalisation keeps the convolution's result, the next convolution the activation's. Only the result in "
        "between, of the normalisation, depends on the word: in place it is overwritten, otherwise it is kept.",
        "4 * (2 if inplace else 3) * out_channels * num_frames * (size // 2) ** 2: a float32 has four bytes, and a 2d "
        "layer does not touch time.",
    ),
)
def what_a_layer_keeps(layer_bytes):
    cases = ((3, 64, 16, 64), (64, 128, 8, 32), (8, 8, 1, 16), (16, 32, 2, 8))
    for inplace in (True, False):
        for layer in cases:
            in_channels, out_channels, num_frames, size = layer
            case = f"with {in_channels} channels in, {out_channels} out, {num_frames} frames of {size} px"
            case += ", in place" if inplace else ", not in place"
            what = f"{case}, the number of bytes that are kept"
            got = expect_number(attempt(layer_bytes, *layer, inplace), what)
            expected = kept_by_layer(*layer, inplace=inplace)
            if 0 <= got - expected <= 8 * out_channels:
                continue  # who counts the normalisation's statistics is right too
            expect_equal(got, expected, what, mistakes=_miscounted_bytes(expected, *layer, inplace=inplace))
    return (
        "Two maps instead of three. Channels double while the pixels quarter, so every layer keeps half as much as the "
        "one before it."
    )


def _miscounted_bytes(
    expected: int, in_channels: int, out_channels: int, num_frames: int, size: int, *, inplace: bool
) -> list[tuple[int, str]]:
    input_map = 4 * in_channels * num_frames * size**2
    output_map = 4 * out_channels * num_frames * (size // 2) ** 2
    with_input = (
        "what the layer is given was counted with the layer before; count what it makes, and that includes what it "
        "hands on "
        "to the next convolution"
    )
    mistakes: list[tuple[int, str]] = []
    if inplace:
        mistakes += [
            (output_map, "one of the two is missing: the normalisation keeps a tensor, the next convolution too"),
            (3 * output_map, "in place the normalisation's result no longer exists: it has been overwritten"),
        ]
    else:
        mistakes += [
            (2 * output_map, "this is right in place; if it is not, the activation keeps its input as well"),
            (output_map, "two of the three are missing: each of the three keeps, or is kept by, somebody"),
        ]
    mistakes += [
        (expected // 4, "these are numbers, not bytes: a float32 has four"),
        (expected // num_frames, "this is right for a single frame: a 2d layer keeps every one"),
        (expected // 2, "half of it is missing: a 2d layer does not halve the time, and a float32 has four bytes"),
        (4 * expected, "the convolution has stride 2, so what comes out has half the size"),
        (2 * expected, "it is twice what it should be: the stride halves both sides, and a float32 has four bytes"),
        (64 * in_channels * out_channels, "these are the weights; what is kept are the maps that they make"),
        *((input_map + count * output_map, with_input) for count in (0, 1, 2, 3)),
    ]
    return mistakes


def kept_by_layer(in_channels: int, out_channels: int, num_frames: int, size: int, *, inplace: bool) -> int:
    """Bytes of a 2D layer's results for one clip that autograd keeps, without the normalisation's statistics.

    Autograd itself is asked, on the meta device, so that the check does not rest on a formula. A convolution follows
    the layer, as in a stack: it keeps the layer's result.
    """
    batch = 2
    storages: dict[int, torch.UntypedStorage] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if tensor.ndim == 5 and id(tensor) not in weights:
            storages[storage._cdata] = storage  # held, so that no other gets its address
        return tensor

    with torch.device("meta"):
        finish = [nn.BatchNorm3d(out_channels), nn.LeakyReLU(0.2, inplace=inplace)]
        layer = strided_layer("2d", in_channels, out_channels, geometry=LayerGeometry(), finish=finish)
        following = nn.Conv3d(out_channels, 1, 1)
        weights = {id(parameter) for parameter in (*layer.parameters(), *following.parameters())}
        videos = torch.zeros(batch, in_channels, num_frames, size, size)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            following(layer(videos))
    storages.pop(videos.untyped_storage()._cdata)
    return sum(storage.nbytes() for storage in storages.values()) // batch
