"""What exercise 09.3 asks for is what autograd keeps, and what the tables of the notebook count."""

from answers.notebook_09 import layer_bytes

from ldvd_lib.anatomy import dissect
from ldvd_lib.classroom.exercises.notebook_09 import kept_by_layer
from ldvd_lib.discriminators import VideoDiscriminator


def test_a_layer_in_place_keeps_two_maps_instead_of_three():
    for layer in ((64, 128, 4, 32), (3, 5, 1, 16)):
        for inplace in (True, False):
            assert kept_by_layer(*layer, inplace=inplace) == layer_bytes(*layer, inplace)


def test_the_exercise_counts_as_the_tables_do():
    table = dissect(VideoDiscriminator(("2d", "2d", "2d"), image_size=32, num_frames=4, base_channels=8))
    statistics = 2 * 4 * 16 // 2  # mean and deviation of 16 channels, of a batch of two
    assert table.rows[1].activation_bytes - layer_bytes(8, 16, 4, 16) == statistics
