"""Right and wrong answers to the exercises of 12, with a phrase of the message that names what is wrong."""

import torch

from ldvd_lib.blocks import between_frames
from ldvd_lib.classroom.exercises.notebook_12 import DOUBLES, ENDS, EVERY, GROWTH, NONE, SEAMS, STAYS, enlarged


def paint_piece(stage, plan, told, first, count, *, before=None, behind=None, cut=2):
    before, behind = (stage.margin if margin is None else margin for margin in (before, behind))
    start = max(0, first // 2 - before)
    stop = (first + count - 1) // 2 + 1 + behind
    return stage(plan[:, :, start:stop], told)[:, :, first - cut * start :][:, :, :count]


def by_index(stage, plan, told, first, count):
    """The same, with a list of frames."""
    wanted = {frame // 2 + reach for frame in range(first, first + count) for reach in (-stage.margin, stage.margin)}
    shown = [frame for frame in range(min(wanted), max(wanted) + 1) if 0 <= frame < plan.shape[2]]
    piece = stage.forward(plan[:, :, shown], told)
    return torch.stack([piece[:, :, frame - 2 * shown[0]] for frame in range(first, first + count)], dim=2)


def by_narrowing(stage, plan, told, first, count):
    """The same, rounded up instead of down, and without torch's type."""
    start = max(first // 2 - stage.margin, 0)
    stop = min(-(-(first + count) // 2) + stage.margin, plan.shape[2])
    return stage(plan.narrow(2, start, stop - start), told).numpy()[:, :, first - 2 * start : first - 2 * start + count]


def cut_out(stage, plan, told, first, count):
    """Right, and as much work as the film."""
    return stage(plan, told)[:, :, first : first + count]


def frame_by_frame(stage, plan, told, first, count):
    """Right, and the same frames again and again."""
    return torch.cat([paint_piece(stage, plan, told, frame, 1) for frame in range(first, first + count)], dim=2)


def below_zero(stage, plan, told, first, count):
    """Where the film begins, a negative index counts from its end."""
    start = first // 2 - stage.margin
    piece = stage(plan[:, :, start : (first + count - 1) // 2 + 1 + stage.margin], told)
    return piece[:, :, first - 2 * start : first - 2 * start + count]


def less_where_less_matters(stage, plan, told, first, count):
    """Right: a frame that lies on one of the plan needs one less behind it than `stage.margin` allows."""
    start = max(0, first // 2 - stage.margin)
    piece = stage(plan[:, :, start : (first + count) // 2 + stage.margin], told)
    return piece[:, :, first - 2 * start :][:, :, :count]


def stops_early(stage, plan, told, first, count):
    """A slice ends before its second number."""
    start = max(0, first // 2 - stage.margin)
    piece = stage(plan[:, :, start : (first + count - 1) // 2 + stage.margin], told)
    return piece[:, :, first - 2 * start :][:, :, :count]


def not_cut(stage, plan, told, first, count):
    start = max(0, first // 2 - stage.margin)
    return stage(plan[:, :, start : (first + count - 1) // 2 + 1 + stage.margin], told)


def numbered_as_the_plan(stage, plan, told, first, count):
    return stage(plan[:, :, first : first + count], told)


def worst_film(context, *, frames=slice(1, None, 2)):
    film = enlarged(context)
    film[:, :, frames] = torch.where(film[:, :, frames] > 0, -1.0, 1.0)
    return film


def pixel_by_pixel(context):
    """With a chessboard in every block of four pixels, as far as there is room."""
    film = worst_film(context)
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(context.shape[3], context.shape[4])
    film[:, :, ::2] += board * (1 - film[:, :, ::2].abs())
    return film


def interleaved(context):
    """The same, put together of its two halves."""
    large = context.repeat_interleave(2, dim=3).repeat_interleave(2, dim=4)
    return torch.stack([large, 1 - 2 * (large > 0).float()], dim=3).flatten(2, 3).double().numpy()


def between(fill):
    """A wrong answer: what is between the frames of the plan is made of these."""

    def film(context):
        made = enlarged(context)
        made[:, :, 1::2] = fill(made[:, :, 1::2])
        return made

    return film


def one_pixel_of_four(context):
    film = -torch.ones_like(enlarged(context))
    film[:, :, ::2, ::2, ::2] = context
    return film


def first_frame_only(context):
    """A wrong answer: flickers between the first frame and its opposite."""
    return worst_film(context[:, :, :1].expand_as(context))


STUBS = {
    "12.1": dict.fromkeys(GROWTH, ...),
    "12.2": lambda stage, plan, told, first, count: None,
    "12.3": dict.fromkeys(SEAMS, ...),
    "12.4": lambda context: None,
}
RIGHT = {
    "12.1": (dict(GROWTH), dict(reversed(GROWTH.items())), GROWTH | {"G": "none of ours"}),
    "12.2": (paint_piece, by_index, by_narrowing, less_where_less_matters),
    "12.3": (dict(SEAMS), dict(reversed(SEAMS.items())), SEAMS | {"H": "none of ours"}),
    "12.4": (worst_film, pixel_by_pixel, interleaved),
}
WRONG = {
    "12.1": (
        (GROWTH | {"A": DOUBLES}, "A is not 'doubles': what of the film does stage 2 paint"),
        (GROWTH | {"B": STAYS}, "does stage 1 see windows"),
        (GROWTH | {"C": STAYS}, "paint a part of that alone"),
        (GROWTH | {"D": DOUBLES}, "on all of them"),
        (GROWTH | {"E": DOUBLES}, "do kernels know"),
        (GROWTH | {"F": STAYS}, "is anything left out"),
        (dict.fromkeys(GROWTH, STAYS), "3 of 6 are right; B is not 'stays': does stage 1 see windows"),
        (dict.fromkeys(GROWTH, DOUBLES), "3 of 6 are right; A is not 'doubles'"),
        (GROWTH | {"F": 2}, "should be one of"),
        (list(GROWTH.values()), "should be a dictionary"),
    ),
    "12.2": (
        (cut_out, "which is all of it"),
        (frame_by_frame, "one call for all of the piece"),
        (lambda *arguments: paint_piece(*arguments, before=5, behind=5), "depend on fewer"),
        (lambda *arguments: paint_piece(*arguments, before=0, behind=0), "the first and last frames differ"),
        (lambda *arguments: paint_piece(*arguments, before=0), "what comes before them in the plan"),
        (lambda *arguments: paint_piece(*arguments, behind=0), "what follows them in the plan"),
        (lambda *arguments: paint_piece(*arguments, before=2, behind=2), "margin of 3"),
        (lambda *arguments: paint_piece(*arguments, cut=1), "as if it had one"),
        (stops_early, "the last frames differ"),
        (below_zero, "counts from the end"),
        (not_cut, "is to be cut off"),
        (lambda *arguments: not_cut(*arguments)[:, :, : arguments[-1]], "in front of the piece is still there"),
        (numbered_as_the_plan, "the plan has half as many"),
        (lambda stage, plan, told, first, count: stage(plan, told), "all of the film"),
        (lambda stage, plan, told, first, count: cut_out(stage, plan, told, 0, count), "but from frame 0 on"),
        (lambda stage, plan, told, *piece: paint_piece(stage, plan, 0 * told, *piece), "noise and class"),
        (lambda *arguments: paint_piece(*arguments)[:, :, :-1], "one place too short"),
        (lambda *arguments: paint_piece(*arguments).flip(2), "runs backwards"),
        (lambda *arguments: torch.zeros_like(paint_piece(*arguments)), "all of it is zero"),
        (lambda stage, plan, told: stage(plan, told), "too many positional arguments"),
    ),
    "12.3": (
        (SEAMS | {"A": ENDS}, "other than that frame"),
        (SEAMS | {"A": EVERY}, "other than that frame"),
        (SEAMS | {"B": EVERY}, "how far"),
        (SEAMS | {"B": NONE}, "how far"),
        (SEAMS | {"C": NONE}, "the last one made"),
        (SEAMS | {"D": EVERY}, "once training is over"),
        (SEAMS | {"E": NONE}, "which number"),
        (SEAMS | {"F": ENDS}, "over what"),
        (SEAMS | {"F": NONE}, "over what"),
        (SEAMS | {"G": ENDS}, "what does it remember"),
        (dict.fromkeys(SEAMS, ENDS), "2 of 7 are right; A is not"),
        (SEAMS | {"G": "some"}, "should be one of"),
        ("all", "should be a dictionary"),
    ),
    "12.4": (
        (enlarged, "between frames 0 and 1 yours changes by 0.000"),
        (lambda context: between_frames(enlarged(context)[:, :, ::2]), "should change by"),
        (between(torch.ones_like), "for a bright plan"),
        (between(lambda frames: -torch.ones_like(frames)), "for a dark one"),
        (between(lambda frames: -frames), "for a grey one"),
        (between(lambda frames: -2 * frames.sign()), "between -1 and 1"),
        (lambda context: 2 * worst_film(context), "between -1 and 1"),
        (lambda context: worst_film(context, frames=slice(0, None, 2)), "which one does it begin with"),
        (lambda context: -enlarged(context), "it has the wrong sign"),
        (lambda context: worst_film(context).flip(2), None),
        (lambda context: worst_film(context.flip(2)), "runs backwards along axis 2 (time)"),
        (lambda context: worst_film(context.flip(0)), "runs backwards along axis 0 (video)"),
        (lambda context: worst_film(context.transpose(3, 4)), "axes 3 and 4 are swapped"),
        (one_pixel_of_four, "the mean of the four"),
        (first_frame_only, "the first frame agrees"),
        (lambda context: 2 * torch.rand_like(enlarged(context)) - 1, "the judge can object"),
        (lambda context: context, "should have shape"),
        (lambda context: worst_film(context)[:, :, ::2], "axis 2 is too short"),
        (lambda context: worst_film(context) / 0, "not finite"),
    ),
}
