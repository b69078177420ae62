"""Right and wrong answers to the exercises of 11, with a phrase of the message that names what is wrong."""

import torch

from ldvd_lib.classroom.exercises.notebook_11 import (
    ALIKE,
    ALL,
    BOTH,
    LATER,
    NEITHER,
    NOTICED_BY,
    OWN,
    REACHES,
    SPATIAL,
    TEMPORAL,
)


def favourite(judge, clips, labels, *, pick=torch.argmax):
    scores = judge.frame_scores(clips, labels)
    best = pick(scores, dim=1)
    return clips[torch.arange(len(clips)), :, best][:, :, None].expand_as(clips)


def one_by_one(judge, clips, labels):
    """The same, a clip and a frame at a time."""
    stills = []
    for clip, label in zip(clips, labels, strict=True):
        scores = [judge(clip[None, :, t : t + 1], label[None]).item() for t in range(clip.shape[1])]
        best = scores.index(max(scores))
        stills.append(clip[:, best : best + 1].repeat(1, clip.shape[1], 1, 1))
    return torch.stack(stills)


def by_gathering(judge, clips, labels):
    best = judge.frame_scores(clips, labels).sort(dim=1, descending=True).indices[:, :1]
    return clips.gather(2, best[:, None, :, None, None].expand_as(clips[:, :, :1])).repeat(1, 1, clips.shape[2], 1, 1)


def standing(frame):
    """A wrong answer: the frame of one number."""
    return lambda judge, clips, labels: clips[:, :, frame, None].expand_as(clips)


def best_for_all(judge, clips, labels):
    best = judge.frame_scores(clips, labels).sum(0).argmax()
    return clips[:, :, best][:, :, None].expand_as(clips)


def products(judge, clips):
    return judge.features(clips) @ judge.embed.weight.T


def name_classes(judge, clips):
    return (judge.features(clips).sum(1) @ judge.embed.weight.T).argmax(1)


def by_products(judge, clips):
    features = judge.features(clips).sum(dim=1)
    labels = torch.arange(judge.embed.num_embeddings)
    return torch.stack([(features * judge.embed(label)).sum(1) for label in labels], dim=1).argmax(1)


def by_a_loop(judge, clips):
    names = []
    for clip in judge.features(clips):
        scores = [float((clip @ row).sum()) for row in judge.embed.weight]
        names.append(scores.index(max(scores)))
    return names


def by_trying(judge, clips):
    """Right, and three times the work."""
    scores = [judge(clips, torch.full((len(clips),), label)) for label in range(judge.embed.num_embeddings)]
    return torch.stack(scores, dim=1).argmax(1)


STUBS = {
    "11.1": dict.fromkeys(REACHES, ...),
    "11.2": dict.fromkeys(NOTICED_BY, ...),
    "11.3": lambda judge, clips, labels: None,
    "11.4": lambda judge, clips: None,
}
RIGHT = {
    "11.1": (dict(REACHES), dict(reversed(REACHES.items())), REACHES | {"F": "none of ours"}),
    "11.2": (dict(NOTICED_BY), dict(reversed(NOTICED_BY.items())), NOTICED_BY | {"G": "none of ours"}),
    "11.3": (favourite, one_by_one, by_gathering),
    "11.4": (name_classes, by_products, by_a_loop, lambda *arguments: name_classes(*arguments).numpy()),
}
WRONG = {
    "11.1": (
        (REACHES | {"A": LATER}, "A is not 'that clip from there on': what of a frame"),
        (REACHES | {"B": ALIKE}, "one large batch"),
        (REACHES | {"B": LATER}, "one large batch"),
        (REACHES | {"C": OWN}, "over what no longer"),
        (REACHES | {"C": ALL}, "over what no longer"),
        (REACHES | {"D": ALIKE}, "once training is over"),
        (REACHES | {"E": ALL}, "which clip's"),
        (REACHES | {"E": OWN}, "which maps is its state made of"),
        (REACHES | {"E": "later"}, "should be one of"),
        (list(REACHES.values()), "should be a dictionary"),
    ),
    "11.2": (
        (NOTICED_BY | {"A": BOTH}, "as good as before"),
        (NOTICED_BY | {"B": BOTH}, "means over 2×2"),
        (NOTICED_BY | {"B": TEMPORAL}, "means over 2×2"),
        (NOTICED_BY | {"C": SPATIAL}, "survives"),
        (NOTICED_BY | {"D": NEITHER}, "between frames"),
        (NOTICED_BY | {"D": BOTH}, "between frames"),
        (NOTICED_BY | {"E": TEMPORAL}, "two clips at once"),
        (NOTICED_BY | {"E": BOTH}, "two clips at once"),
        (NOTICED_BY | {"F": SPATIAL}, "told the label"),
        (NOTICED_BY | {"F": "D_V"}, "should be one of"),
        ("D_T", "should be a dictionary"),
    ),
    "11.3": (
        (lambda judge, clips, labels: clips, "still moves"),
        (lambda judge, clips, labels: clips.mean(2, keepdim=True).expand_as(clips), "the mean of all"),
        (lambda judge, clips, labels: torch.zeros_like(clips), "painted anew"),
        (lambda judge, clips, labels: favourite(judge, clips, labels, pick=torch.argmin), "least liked"),
        (lambda judge, clips, labels: favourite(judge, clips, labels * 0), "a favourite, of its own"),
        (lambda judge, clips, labels: favourite(judge, clips, labels).flip(0), "one of another clip"),
        (best_for_all, "the best for all together"),
        (standing(0), "the first frame is shown"),
        (standing(-1), "the last frame is shown"),
        (lambda judge, clips, labels: favourite(judge, clips, labels)[:, :, :1], "axis 2 is too short"),
        (lambda judge, clips, labels: favourite(judge, clips, labels)[:, :, 0], "fewer axes"),
        (lambda judge, clips: clips, "too many positional arguments"),
        (standing(2), None),
    ),
    "11.4": (
        (by_trying, "once is enough"),
        (lambda judge, clips: products(judge, clips).sum(1).argmin(1), "scores lowest"),
        (lambda judge, clips: products(judge, clips)[:, 0].argmax(1), "first frame only"),
        (lambda judge, clips: products(judge, clips)[:, -1].argmax(1), "last frame only"),
        (lambda judge, clips: products(judge, clips).amax(1).argmax(1), "the one frame that says most"),
        (lambda judge, clips: products(judge, clips).argmax(2).mode(1).values, "lets every frame vote"),
        (lambda judge, clips: products(judge, clips).sum(1).abs().argmax(1), "largest in magnitude"),
        (lambda judge, clips: products(judge, clips).sum(1), "products with every label"),
        (lambda judge, clips: products(judge, clips).argmax(2), "classes of frames"),
        (lambda judge, clips: torch.zeros(len(clips), dtype=torch.long), "the same class is named for all"),
        (lambda judge, clips: torch.arange(len(clips)) % 3, None),
    ),
}
