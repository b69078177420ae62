"""One step of a game, whichever it is: every player learns, and moves.

Source: MODELS §4. TGAN, "one forward; G step and D step from the same fake batch"; MoCoGAN, Tulyakov et al. 2018,
section 3.3; DVD-GAN, Clark et al. 2019, section 3; TGANv2, Saito et al. 2020.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldvd_lib.batch import Batch
from ldvd_lib.gan import GENERATOR
from ldvd_lib.objective import Objective, Terms, add, join
from ldvd_lib.recipe import Game
from ldvd_lib.training.players import Players

# What is in a player's loss anyway, and not worth a line of its own in the log.
_MAIN_TERMS = ("real", "fake", "adversarial")


@dataclass(frozen=True)
class Source:
    """What a step plays with.

    Attributes:
        clips: the next batch of real clips, on the players' device.
        batch_size: videos in it, and in a batch of generated ones.
        random: latents and views are drawn from it; on the players' device.
    """

    clips: Callable[[], Batch]
    batch_size: int
    random: torch.Generator


def play(game: Game, objective: Objective, players: Players, source: Source) -> dict[str, Tensor]:
    """Let every player move: the discriminators as often as the game says, the generator once.

    Returns:
        For the log, scalars on the device: of each discriminator ``NAME_loss``, ``NAME_real_score``,
        ``NAME_fake_score`` and its further terms (``NAME_r1``, …); ``generator_loss`` and its further terms.
    """
    report: dict[str, Tensor] = {}
    for turn in range(game.discriminator_steps):
        if game.batches == "step" and turn == 0:
            report |= _all_move(objective, players, source)
        else:
            report |= _discriminators_move(objective, players, source, groups=_groups(game, players))
    if game.batches != "step":
        report |= _generator_moves(objective, players, source, groups=_groups(game, players))
    return report


def _groups(game: Game, players: Players) -> list[list[str]]:
    """The discriminators, those together that share a batch."""
    names = list(players.discriminators)
    return [[name] for name in names] if game.batches == "player" else [names]


def _all_move(objective: Objective, players: Players, source: Source) -> dict[str, Tensor]:
    """Generator and discriminators learn from one batch, all from the others as they were before the step."""
    names, random = list(players.discriminators), source.random
    real = _look_at_real(players, source, names)
    players.prepare((GENERATOR, *names))
    with players.autocast():
        fakes = players.generator.generate(players.latents(source.batch_size, random), players.views, random)
    report: dict[str, Tensor] = {}
    generator_terms: dict[str, Tensor] = {}
    painted: list[Tensor] = []
    pulls: list[Tensor | None] = []  # the gradient of the generator's loss by what it painted
    for name in names:
        # The discriminator sees leaves: its backward pass stops there, at the videos.
        fake = fakes.seen[name].leaves()
        with players.autocast():
            on_fake, generators = objective.both(name, fake)
        if objective.is_zero_sum(name):
            # The generator's gradient is the negative of the discriminator's: one backward pass serves both.
            on_fake.total.backward()
            pull: Sequence[Tensor] = [-_gradient(level) for level in fake.levels]
        else:
            pull = torch.autograd.grad(generators.total, fake.levels, retain_graph=True)
            on_fake.total.backward()
        painted += fakes.seen[name].levels
        pulls += pull
        generator_terms |= {f"{name}_{term}": value.detach() for term, value in generators.values.items()}
        report |= _learn_the_rest(objective, players, source, name, real[name], fake.detach(), on_fake)
    for name in names:
        players.move(name)
    if isinstance(fakes.penalty, Tensor):
        painted.append(fakes.penalty)
        pulls.append(None)
        generator_terms["penalty"] = fakes.penalty.detach()
    torch.autograd.backward(painted, pulls)
    players.move(GENERATOR)
    return _generator_report(generator_terms) | report


def _discriminators_move(
    objective: Objective, players: Players, source: Source, *, groups: list[list[str]]
) -> dict[str, Tensor]:
    """Each discriminator learns from real clips and fresh fakes, which those of a group share."""
    report: dict[str, Tensor] = {}
    for names in groups:
        real = _look_at_real(players, source, names)
        players.prepare(names)
        views = {name: players.views[name] for name in names}
        with players.autocast(), torch.no_grad():
            latents = players.latents(source.batch_size, source.random)
            fakes = players.generator.generate(latents, views, source.random)
        for name in names:
            with players.autocast():
                on_fake = objective.fake(name, fakes.seen[name])
            on_fake.total.backward()
            report |= _learn_the_rest(objective, players, source, name, real[name], fakes.seen[name], on_fake)
        for name in names:
            players.move(name)
    return report


def _learn_the_rest(
    objective: Objective, players: Players, source: Source, name: str, real: Batch, fake: Batch, on_fake: Terms
) -> dict[str, Tensor]:
    """Add to a discriminator's gradients those of all terms but the one of fakes, which it has; and report on it.

    One backward pass after the other, so that only one batch's activations are kept at a time.
    """
    with players.autocast():
        on_real = objective.real(name, real)
    on_real.total.backward()
    with players.autocast():
        between = objective.between(name, real, fake, source.random)
    if between:
        add(between).backward()
    values = {term: value.detach() for term, value in join(on_real, on_fake, between).items()}
    return {
        f"{name}_loss": add(values),
        f"{name}_real_score": on_real.scores.detach().mean(),
        f"{name}_fake_score": on_fake.scores.detach().mean(),
        **{f"{name}_{term}": value for term, value in values.items() if term not in _MAIN_TERMS},
    }


def _generator_moves(
    objective: Objective, players: Players, source: Source, *, groups: list[list[str]]
) -> dict[str, Tensor]:
    """The generator learns from fresh fakes, before the discriminators as they are now."""
    players.prepare((GENERATOR,))
    terms: dict[str, Tensor] = {}
    with players.autocast():
        for names in groups:
            views = {name: players.views[name] for name in names}
            latents = players.latents(source.batch_size, source.random)
            fakes = players.generator.generate(latents, views, source.random)
            for name in names:
                values = objective.generator(name, fakes.seen[name]).values
                terms |= {f"{name}_{term}": value for term, value in values.items()}
            if isinstance(fakes.penalty, Tensor):
                terms["penalty"] = terms.get("penalty", 0) + fakes.penalty / len(groups)
    # Only the generator's gradients: those of the discriminators' weights would be computed for nothing.
    add(terms).backward(inputs=players.parameters(GENERATOR))
    players.move(GENERATOR)
    return _generator_report({term: value.detach() for term, value in terms.items()})


def _generator_report(terms: dict[str, Tensor]) -> dict[str, Tensor]:
    further = {f"generator_{term}": value for term, value in terms.items() if not term.endswith(_MAIN_TERMS)}
    return {"generator_loss": add(terms), **further}


def _look_at_real(players: Players, source: Source, names: list[str]) -> dict[str, Batch]:
    """The next real clips, as each of some discriminators sees them."""
    real = players.generator.match_real(source.clips(), source.random)
    return {name: players.views[name](real, source.random) for name in names}


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
