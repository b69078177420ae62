"""The checks of 09 pass right answers, however they are written, and name every likely mistake."""

import pytest

from ldvd_lib.anatomy import dissect
from ldvd_lib.classroom import check
from ldvd_lib.classroom.exercises import find
from ldvd_lib.classroom.exercises.notebook_09 import KINDS, kept_by_layer
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.generators import TGANGenerator


def doubling(image_size, image_channels=512, base_channels=64, *, normalisation=1, last=1):
    before = image_size // 2
    g, d = image_channels * 4 // before, base_channels * before // 8
    generator = 16 * g * (g // 2) + normalisation * 2 * (g // 2) - last * 27 * (g - g // 2)
    return generator, 16 * d * (2 * d) + normalisation * 2 * (2 * d) + last * 16 * d


def generator(temporal=4, image=2):
    widths = tuple(temporal * width for width in (512, 256, 128, 128))
    return TGANGenerator(128, temporal_channels=widths, image_channels=512 * image)


def layer_bytes(in_channels, out_channels, num_frames, size, inplace=True, *, inputs=0, maps=(2, 3)):
    outputs = maps[0] if inplace else maps[1]
    return 4 * num_frames * (inputs * in_channels * size**2 + outputs * out_channels * (size // 2) ** 2)


RIGHT = {
    "09.1": (doubling, lambda *sizes: list(map(float, doubling(*sizes)))),
    "09.2": (lambda: (generator(), VideoDiscriminator(KINDS, 128, base_channels=128)),),
    "09.3": (layer_bytes, lambda *sizes: layer_bytes(*sizes) + 4 * sizes[1]),  # right with the statistics, too
}
WRONG = [
    ("09.1", lambda *sizes: doubling(*sizes, normalisation=0), "normalisation: a scale and an offset"),
    ("09.1", lambda *sizes: doubling(*sizes, last=0), "last layer now meets another number of channels"),
    ("09.1", lambda *sizes: doubling(*sizes, normalisation=0, last=0), "and the change of the last layer"),
    ("09.1", lambda *sizes: (7_792, 8_398_848), "at image_size 256"),
    ("09.1", lambda *sizes: sum(doubling(*sizes)), "two numbers"),
    ("09.1", lambda *sizes: doubling(*sizes)[::-1], "what the generator gains should be 7792"),
    ("09.2", lambda: (generator(), VideoDiscriminator(KINDS, 128)), "36.1M"),
    ("09.2", lambda: (generator(), VideoDiscriminator((*KINDS, "2d"), 128)), "five layers"),
    ("09.2", lambda: (generator(4, 1), VideoDiscriminator(KINDS, 128, base_channels=128)), "image half"),
    ("09.2", lambda: (generator(1, 2), VideoDiscriminator(KINDS, 128, base_channels=128)), "temporal half"),
    ("09.2", lambda: (VideoDiscriminator(KINDS, 128), generator()), "in this order"),
    ("09.2", lambda: (TGANGenerator(64), VideoDiscriminator(KINDS[:4], 64)), "128 pixels"),
    ("09.3", lambda *layer: layer_bytes(*layer, maps=(1, 3)), "one of the two is missing"),
    ("09.3", lambda *layer: layer_bytes(*layer, maps=(3, 3)), "has been overwritten"),
    ("09.3", lambda *layer: layer_bytes(*layer, maps=(2, 2)), "not in place: this is right in place"),
    ("09.3", lambda *layer: layer_bytes(*layer, inputs=1, maps=(1, 2)), "was counted with the layer before"),
    ("09.3", lambda *layer: layer_bytes(*layer, inputs=1, maps=(2, 2)), "was counted with the layer before"),
    ("09.3", lambda *layer: layer_bytes(*layer) // 4, "not bytes"),
    ("09.3", lambda i, o, frames, size, inplace: layer_bytes(i, o, 1, size, inplace), "single frame"),
    ("09.3", lambda *layer: layer_bytes(*layer, maps=(8, 12)), "stride 2"),
    ("09.3", lambda *sizes: 5, "8,388,608 bytes are kept"),
    ("09.3", lambda *sizes: "many", "a number of bytes"),
]


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers])
def test_right_answers_pass(name, answer):
    result = check(name, answer)
    assert result.passed, result.message


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_wrong_answers_are_told_why(name, answer, message):
    result = check(name, answer)
    assert result.status == "not yet"
    assert message.lower() in result.message.lower()


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_are_not_attempted(name):
    assert check(name, lambda *sizes: None).status == "not attempted yet"
    assert len(find(name).hints) == 3


def test_a_layer_in_place_keeps_two_maps_instead_of_three():
    for layer in ((64, 128, 4, 32), (3, 5, 1, 16)):
        for inplace in (True, False):
            assert kept_by_layer(*layer, inplace=inplace) == layer_bytes(*layer, inplace)


def test_the_exercise_counts_as_the_tables_do():
    table = dissect(VideoDiscriminator(("2d", "2d", "2d"), image_size=32, num_frames=4, base_channels=8))
    statistics = 2 * 4 * 16 // 2  # mean and deviation of 16 channels, of a batch of two
    assert table.rows[1].activation_bytes - layer_bytes(8, 16, 4, 16) == statistics
