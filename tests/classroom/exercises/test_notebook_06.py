"""What exercise 06.2 asks for is what the anatomy says."""

import torch

from ldvd_lib.anatomy import dissect
from ldvd_lib.classroom.exercises.notebook_06 import field
from ldvd_lib.discriminators import VideoDiscriminator


def test_the_receptive_field_is_that_of_the_anatomy():
    with torch.device("meta"):
        stack = VideoDiscriminator(("3d",) * 4, 64, 16, 4, time=(4, 1, 0), head="patch")
    last = dissect(stack).rows[-1]
    assert (field((4,) * 4, (1,) * 4), field((4,) * 4, (2,) * 4)) == (last.frames, last.pixels)
