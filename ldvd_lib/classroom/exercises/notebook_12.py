"""Checks of 12, SSW-GAN: what grows with the film, windows without seams, and what its third judge does not ask."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ldvd_lib.blocks import coarse
from ldvd_lib.classroom.exercises import attempt, exercise, expect, expect_choices, expect_close, expect_shape
from ldvd_lib.discriminators import MatchingDiscriminator
from ldvd_lib.generators.sswgan import Upscaling

STAYS, DOUBLES = "stays", "doubles"
GROWTH = {
    "A": STAYS,  # what a training step of stage 2 keeps for the backward pass
    "B": DOUBLES,  # what one of stage 1 keeps
    "C": DOUBLES,  # the arithmetic of stage 1 within a training step of stage 2
    "D": STAYS,  # the frames of stage 2 that a training step of stage 3 paints
    "E": STAYS,  # the parameters of stage 2
    "F": DOUBLES,  # the arithmetic of drawing a film
}
_GROWTH_CLUES = {
    "A": "what of the film does stage 2 paint while it learns, and who has to remember the way back?",
    "B": "does stage 1 see windows?",
    "C": "a window of stage 2 lies somewhere in what stage 1 paints. Can stage 1 paint a part of that alone?",
    "D": "a window of stage 3 depends on a few frames of stage 2. On all of them?",
    "E": "do kernels know how long the film is?",
    "F": "when it draws, is anything left out?",
}


@exercise(
    "12.1",
    title="What grows with the film?",
    hints=(
        "Ask of each: is it about all frames, or about a window? A window is 8 frames, whatever the film.",
        "Stages from the second on are convolutional, and are trained on windows; stage 1 is not. In drawing, every "
        "stage paints everything.",
        "Three stay. Three double: all that stage 1 does, and drawing.",
    ),
)
def what_grows_with_the_film(answer: Any):
    expect_choices(answer, GROWTH, (STAYS, DOUBLES), _GROWTH_CLUES)
    return "So it is memory that windows save, and nearly all of the arithmetic of training, but for stage 1's."


class _Watched:
    """A stage that notes how many frames it is shown."""

    def __init__(self, stage: Upscaling) -> None:
        self.stage, self.margin, self.shown = stage, stage.margin, 0

    def __call__(self, videos: Tensor, told: Tensor) -> Tensor:
        """As the stage's."""
        expect(
            videos.shape[2] > 0,
            "the stage was shown no frame: where a film begins there is nothing before it, and in Python a negative "
            "index counts from the end",
        )
        self.shown += videos.shape[2]
        return self.stage(videos, told)

    forward = __call__


def small_stage(blocks: int, seed: int = 0) -> Upscaling:
    """A small stage in double precision and evaluation mode, with statistics of something."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        stage = Upscaling(4, 3, blocks=blocks, noise_dim=2).double()
        with torch.no_grad():
            stage(torch.rand(4, 3, 6, 4, 4).double() * 2 - 1, torch.randn(4, 2).double())
        return stage.eval()


@exercise(
    "12.2",
    title="A window without seams",
    hints=(
        "Which frames of `videos` lie under the frames that are asked for? And how many more to either side must the "
        "stage see, so that those come out right?",
        "Frame n of the film lies over frame n // 2 of `videos`. Show the stage `stage.margin` frames more on either "
        "side, but none before the first and none behind the last.",
        "start = max(0, first // 2 - stage.margin); stop = (first + count - 1) // 2 + 1 + stage.margin. Of what comes "
        "out, frame first - 2 * start is the first that was asked for.",
    ),
)
def a_window_without_seams(paint_piece: Callable):
    for blocks in (1, 2):
        stage = small_stage(blocks)
        random = torch.Generator().manual_seed(blocks)
        videos = torch.rand(2, 3, 20, 4, 4, generator=random, dtype=torch.float64) * 2 - 1
        told = torch.randn(2, 2, generator=random, dtype=torch.float64)
        with torch.no_grad():
            whole = stage(videos, told)
            for first, count in ((16, 8), (15, 4), (0, 6), (1, 3), (35, 5), (32, 8), (20, 1)):
                watched = _Watched(stage)
                got = attempt(paint_piece, watched, videos.clone(), told, first, count)
                case = f"of a film of 40 frames, {count} from frame {first} on"
                expected = whole[:, :, first : first + count]
                expect_shape(got, expected.shape, case)
                _say_where_it_differs(got, whole, first, count, case)
                needed = (first + count - 1) // 2 - first // 2 + 1 + 2 * stage.margin
                expect(
                    watched.shown <= needed,
                    f"{case}: right, but the stage was shown {watched.shown} frames, and {needed} are enough",
                )
    return "This is how a stage in between paints no more than the window of the next one depends on."


def _say_where_it_differs(got: Tensor, whole: Tensor, first: int, count: int, case: str) -> None:
    expected = whole[:, :, first : first + count]
    apart = (got - expected).abs().amax((0, 1, 3, 4)) > 1e-8
    if not apart.any():
        return
    for other in range(whole.shape[2] - count + 1):
        if torch.allclose(got, whole[:, :, other : other + count]):
            expect(False, f"{case}: these are frames of the film, but from frame {other} on")
    wrong = ", ".join(str(number) for number in apart.nonzero().flatten().tolist())
    expect(
        bool(apart.all()),
        f"{case}: of your frames 0 to {count - 1}, these differ from the whole film's: {wrong}. What lies beside them "
        "in the film was not shown to the stage",
    )
    expect_close(got, expected, case)


NONE, ENDS, EVERY = "none", "those at its ends", "all"
SEAMS = {
    "A": NONE,  # a 3×3 convolution of every frame
    "B": ENDS,  # two 3×3×3 convolutions
    "C": ENDS,  # frames put between frames
    "D": NONE,  # batch normalisation in evaluation, one mean and variance for each channel
    "E": EVERY,  # the same, with statistics for each frame number
    "F": EVERY,  # batch normalisation in training
    "G": EVERY,  # a ConvGRU that begins at the window's first frame
}
_SEAM_CLUES = {
    "A": "what of a frame does it need, other than that frame?",
    "B": "how far do two kernels of three frames reach, and what lies there in the window?",
    "C": "from which frames is the last one made, in the window and in the film?",
    "D": "where do its means and variances come from, once training is over?",
    "E": "which number does a frame have in the window, and which in the film?",
    "F": "over what are its means and variances taken, in the window and in the film?",
    "G": "what does it remember when it arrives at this frame: in the film, and in the window?",
}


@exercise(
    "12.3",
    title="Which layers leave seams?",
    hints=(
        "Take one frame in the middle of the window, and ask what it is computed from, in the window and in the film.",
        "What reaches a fixed number of frames goes wrong at the ends only. What remembers everything before, counts "
        "frames, or takes statistics of what is there, goes wrong everywhere.",
        "None: two of them. At the ends: two. All frames: three.",
    ),
)
def which_layers_leave_seams(answer: Any):
    expect_choices(answer, SEAMS, (NONE, ENDS, EVERY), _SEAM_CLUES)
    return "That is why a stage above the first has no memory, does not count frames, and is run in evaluation mode."


def matching_judge(seed: int) -> nn.Module:
    """A small matching discriminator, as it is before training, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MatchingDiscriminator(16, 8, (4, 8)).eval()


LEAST_CHANGE = 0.5


@exercise(
    "12.4",
    title="A film that it cannot object to",
    hints=(
        "Which frames of a film does `coarse` look at, and what does it make of 2×2 pixels?",
        "Every second frame, from the first on, must be the context with its pixels repeated. About all others, the "
        "judge is never told.",
        "Begin with context.repeat_interleave(2, dim=2), and the same for dims 3 and 4. Then set film[:, :, 1::2] to "
        "something that is far from every frame: where the frame is bright, -1, and elsewhere 1.",
    ),
)
def a_film_that_it_cannot_object_to(worst_film: Callable):
    for seed in range(3):
        context = torch.rand(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        film = attempt(worst_film, context.clone())
        expect_shape(film, (2, 3, 8, 16, 16), "the film")
        expect(film.isfinite().all(), "the film holds values that are not finite")
        strongest = film.abs().max().item()
        expect(strongest <= 1 + 1e-6, f"values should lie between -1 and 1, and the strongest is {strongest:.3g}")
        apart = (coarse(film) - context).abs().max().item()
        expect(
            apart < 1e-5,
            f"the judge can object: made coarse, the film is not its context; they are up to {apart:.3g} apart",
        )
        changes = film.diff(dim=2).abs().mean((0, 1, 3, 4))
        least = int(changes.argmin())
        expect(
            changes[least] >= LEAST_CHANGE,
            f"it should change by {LEAST_CHANGE} or more from each frame to the next, in the mean; between frames "
            f"{least} and {least + 1} yours changes by {changes[least]:.2f}",
        )
        judge, faithful = matching_judge(seed), context
        for axis in (2, 3, 4):
            faithful = faithful.repeat_interleave(2, dim=axis)
        with torch.no_grad():
            expect_close(judge(film, context), judge(faithful, context), "its score", tolerance=1e-3)
    return "It agrees as well as a film can. That it flickers is for the temporal discriminator to say."
