"""Checks of 12, SSW-GAN: what grows with the film, windows without seams, and what its third judge does not ask."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ldvd_lib.blocks import coarse
from ldvd_lib.classroom.exercises import (
    NotYet,
    as_tensor,
    attempt,
    exercise,
    expect,
    expect_choices,
    expect_close,
    expect_shape,
)
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
    """A stage that notes how often it is called, and how many frames it is shown."""

    def __init__(self, stage: Upscaling) -> None:
        self.stage, self.margin, self.calls, self.shown = stage, stage.margin, 0, 0

    def __call__(self, videos: Tensor, told: Tensor) -> Tensor:
        """As the stage's."""
        expect(
            videos.shape[2] > 0,
            "the stage was shown no frame: where a film begins there is nothing before it, and in Python a negative "
            "index counts from the end",
        )
        self.calls += 1
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
        plan = torch.rand(2, 3, 20, 4, 4, generator=random, dtype=torch.float64) * 2 - 1
        told = torch.randn(2, 2, generator=random, dtype=torch.float64)
        with torch.no_grad():
            whole = stage(plan, told)
            for first, count in ((16, 8), (15, 4), (0, 6), (1, 3), (35, 5), (32, 8), (20, 1)):
                watched = _Watched(stage)
                got = as_tensor(attempt(paint_piece, watched, plan, told, first, count))
                case = (
                    f"of a film of 40 frames, by a stage with a margin of {stage.margin}, {count} from frame {first} on"
                )
                expected = whole[:, :, first : first + count]
                if isinstance(got, Tensor) and got.shape == expected.shape and not got.is_meta:
                    _say_where_it_differs(got, whole, first, case)
                expect_close(
                    got,
                    expected,
                    f"{case},",
                    tolerance=_SEAM,
                    mistakes=_mistakes(stage, plan, told, whole, first, count),
                )
                _expect_no_more_than_needed(watched, plan, first, count, case)
    return "This is how a stage in between paints no more than the window of the next one depends on."


_SEAM = 1e-6  # what is further than this from the film is no rounding


def _say_where_it_differs(got: Tensor, whole: Tensor, first: int, case: str) -> None:
    """Frames that are wrong at one end or both, and right elsewhere, lack what lies beside the piece in the plan."""
    stop = first + got.shape[2]
    wrong = (got - whole[:, :, first:stop]).abs().amax((0, 1, 3, 4)) > _SEAM
    lacks_before, lacks_behind = bool(wrong[0]) and first > 0, bool(wrong[-1]) and stop < whole.shape[2]
    if wrong.all() or not (lacks_before or lacks_behind):
        return
    frames = " and ".join(["first"] * lacks_before + ["last"] * lacks_behind)
    beside = " and ".join(["what comes before them"] * lacks_before + ["what follows them"] * lacks_behind)
    raise NotYet(
        f"{case}: the {frames} frames differ from those of the film: of {beside} in the plan the stage was not shown "
        "enough"
    )


def _mistakes(
    stage: Upscaling, plan: Tensor, told: Tensor, whole: Tensor, first: int, count: int
) -> Iterator[tuple[Tensor, str]]:
    start, stop = max(0, first // 2 - stage.margin), (first + count - 1) // 2 + 1 + stage.margin
    piece, before = stage(plan[:, :, start:stop], told), first // 2 - start
    yield whole, "this is all of the film"
    if piece.shape[2] > count:
        yield piece, "what the stage was shown beside the piece has been painted, too, and is to be cut off"
        yield piece[:, :, :count], "what is painted of the frames in front of the piece is still there"
        yield piece[:, :, -count:], "what comes out ends with frames that lie behind the piece: these are they"
    if before:
        half = "the film has two frames for each of the plan, and this is cut as if it had one"
        yield piece[:, :, before:][:, :, :count], half
        yield piece[:, :, first - start :][:, :, :count], half
    of_plan = plan[:, :, first : first + count]
    if of_plan.shape[2]:
        taken = "`first` and `count` number frames of the film, and the plan has half as many"
        painted = stage(of_plan, told)
        yield painted, taken
        yield painted[:, :, :count], taken
    silent = stage(plan, torch.zeros_like(told))[:, :, first : first + count]
    yield silent, "noise and class have not been told to the stage as they are"
    for other in range(whole.shape[2] - count + 1):
        if other != first:
            yield whole[:, :, other : other + count], f"these are frames of the film, but from frame {other} on"


def _expect_no_more_than_needed(watched: _Watched, plan: Tensor, first: int, count: int, case: str) -> None:
    if watched.shown <= (first + count - 1) // 2 - first // 2 + 1 + 2 * watched.margin:
        return
    shown = f"{case}: right, but the stage was shown {watched.shown} frames of the plan"
    expect(watched.calls == 1, f"{shown}, in {watched.calls} calls, and one call for all of the piece takes fewer")
    expect(watched.shown < plan.shape[2], f"{shown}, which is all of it")
    raise NotYet(f"{shown}, and these frames depend on fewer")


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


def enlarged(context: Tensor) -> Tensor:
    """Twice the frames, rows and columns, each repeated."""
    for axis in (2, 3, 4):
        context = context.repeat_interleave(2, dim=axis)
    return context


LEAST_CHANGE = 0.5
# The darkest and the brightest value of plans: a film has to flicker, whatever its plan.
_PLANS = {
    "a plan of all values": (-1.0, 1.0),
    "a bright plan": (0.6, 1.0),
    "a dark one": (-1.0, -0.6),
    "a grey one": (-0.4, 0.4),
}


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
    for seed, (kind, (darkest, brightest)) in enumerate(_PLANS.items()):
        random = torch.Generator().manual_seed(seed)
        context = darkest + (brightest - darkest) * torch.rand(2, 3, 4, 8, 8, generator=random)
        film = as_tensor(attempt(worst_film, context))
        expect_shape(film, (2, 3, 8, 16, 16), "the film")
        film = film.float()
        expect(film.isfinite().all(), "the film holds values that are not finite")
        strongest = film.abs().max().item()
        expect(strongest <= 1 + 1e-6, f"values should lie between -1 and 1, and the strongest is {strongest:.3g}")
        expect_close(
            coarse(film),
            context,
            "the judge can object: the film, made coarse and compared with its plan,",
            mistakes=_disagreements(film, context),
        )
        changes = film.diff(dim=2).abs().mean((0, 1, 3, 4))
        least = int(changes.argmin())
        expect(
            changes[least] >= LEAST_CHANGE,
            f"for {kind}, a film should change by {LEAST_CHANGE} or more from each frame to the next, in the mean; "
            f"between frames {least} and {least + 1} yours changes by {changes[least]:.3f}",
        )
        judge = matching_judge(seed)
        with torch.no_grad():
            expect_close(judge(film, context), judge(enlarged(context), context), "its score", tolerance=1e-3)
    return "It agrees as well as a film can. That it flickers is for the temporal discriminator to say."


def _disagreements(film: Tensor, context: Tensor) -> Iterator[tuple[Tensor, str]]:
    small = coarse(film)
    if torch.allclose(coarse(film[:, :, 1:]), context, atol=1e-5):
        yield small, "the frames that agree are those that it does not look at; which one does it begin with?"
    if torch.allclose(film[:, :, ::2, ::2, ::2], context, atol=1e-5):
        yield small, "one pixel of four is that of the plan, and it looks at the mean of the four"
    if torch.allclose(coarse(film[:, :, :1]), context[:, :, :1], atol=1e-5):
        yield small, "the first frame agrees, and later ones do not; all those that it looks at should"
