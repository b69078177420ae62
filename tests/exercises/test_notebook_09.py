"""Notebook 09's checks: right answers pass however they are written, and every likely mistake is told what it is."""

import pytest

from ldvd_lib.classroom import check
from ldvd_lib.discriminators import VideoDiscriminator
from ldvd_lib.exercises import find
from ldvd_lib.exercises.notebook_09 import KINDS, kept_by_layer
from ldvd_lib.generators import TGANGenerator


def doubling(image_size, image_channels=512, base_channels=64, *, normalisation=1, last=1):
    before = image_size // 2
    g, d = image_channels * 4 // before, base_channels * before // 8
    generator = 16 * g * (g // 2) + normalisation * 2 * (g // 2) - last * 27 * (g - g // 2)
    return generator, 16 * d * (2 * d) + normalisation * 2 * (2 * d) + last * 16 * d


def generator(temporal=4, image=2):
    widths = tuple(temporal * width for width in (512, 256, 128, 128))
    return TGANGenerator(128, temporal_channels=widths, image_channels=512 * image)


def layer_bytes(in_channels, out_channels, num_frames, size, *, given=1, made=2):
    return 4 * num_frames * (given * in_channels * size**2 + made * out_channels * (size // 2) ** 2)


RIGHT = {
    "09.1": (doubling, lambda *sizes: list(map(float, doubling(*sizes)))),
    "09.2": (lambda: (generator(), VideoDiscriminator(KINDS, 128, base_channels=128)),),
    "09.3": (layer_bytes, lambda *sizes: layer_bytes(*sizes) + 4 * sizes[1]),  # with the statistics: fine, too
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
    ("09.3", lambda *sizes: layer_bytes(*sizes, made=1), "one of the two tensors"),
    ("09.3", lambda *sizes: layer_bytes(*sizes, given=0), "input of the convolution"),
    ("09.3", lambda *sizes: layer_bytes(*sizes, made=3), "charged to the next layer"),
    ("09.3", lambda *sizes: layer_bytes(*sizes) // 4, "not bytes"),
    ("09.3", lambda i, o, frames, size: layer_bytes(i, o, 1, size), "single frame"),
    ("09.3", lambda *sizes: layer_bytes(*sizes, made=8), "stride 2"),
    ("09.3", lambda *sizes: 5, "4,194,304 bytes are kept"),
    ("09.3", lambda *sizes: "many", "a number of bytes"),
]


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers])
def test_right_answers_pass(name, answer):
    result = check(name, answer)
    assert result.passed, result.message


@pytest.mark.parametrize(("name", "answer", "said"), WRONG)
def test_wrong_answers_are_told_why(name, answer, said):
    result = check(name, answer)
    assert result.status == "not yet"
    assert said.lower() in result.message.lower()


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_are_not_attempted(name):
    assert check(name, lambda *sizes: None).status == "not attempted yet"
    assert len(find(name).hints) == 3


def test_what_autograd_keeps_is_three_inputs():
    assert kept_by_layer(64, 128, 4, 32) == layer_bytes(64, 128, 4, 32)
    assert kept_by_layer(3, 5, 1, 16) == layer_bytes(3, 5, 1, 16)
