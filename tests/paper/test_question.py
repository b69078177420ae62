"""The question's critics, and what is made of their trainings."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from ldvd_lib.gan import VideoGANConfig
from ldvd_lib.paper import Point, read_points
from ldvd_lib.paper.answer import PAIRS
from ldvd_lib.paper.question import BLIND, CRITICS, KINDS, configuration


def without_constraint(config: VideoGANConfig) -> VideoGANConfig:
    """A configuration but for its name and its constraint."""
    networks = {
        name: replace(network, options={key: value for key, value in network.options.items() if key != "spectral"})
        for name, network in config.discriminators.items()
    }
    return replace(config, name="", discriminators=networks).with_recipe(svc_every=0)


def test_all_critics_teach_one_generator_by_one_recipe() -> None:
    configurations = [configuration(critic) for critic in CRITICS]
    assert len({str(config.generator) for config in configurations}) == 1
    assert len({config.with_recipe(svc_every=0).recipe for config in configurations}) == 1


def test_pairs_differ_in_one_thing() -> None:
    for first, second in PAIRS:
        (kind, constraint), (other_kind, other_constraint) = CRITICS[first], CRITICS[second]
        assert (kind == other_kind) + (constraint == other_constraint) == 1
        if kind == other_kind:
            assert without_constraint(configuration(first)) == without_constraint(configuration(second))
        else:
            assert configuration(first).recipe == configuration(second).recipe


def test_every_kind_is_there_free_and_clipped() -> None:
    assert {kind for kind, constraint in CRITICS.values() if constraint == "free"} == set(KINDS)
    assert {kind for kind, constraint in CRITICS.values() if constraint == "svc"} == set(KINDS)


def test_the_blind_do_not_see_the_order_of_frames_and_the_others_do() -> None:
    random = torch.Generator().manual_seed(0)
    videos = torch.rand(2, 3, 16, 32, 32, generator=random) * 2 - 1
    order = torch.randperm(16, generator=random)
    for critic, (kind, _) in CRITICS.items():
        network = configuration(critic).build(seed=0).discriminators["video"].eval()
        with torch.no_grad():
            scores, shuffled = network(videos), network(videos[:, :, order])
        difference = (scores - shuffled).norm() / scores.norm()
        assert difference < 1e-5 if kind in BLIND else difference > 1e-2, critic


def test_an_unknown_critic_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="3d-svc"):
        configuration("3d-scv")


def test_points_are_read_as_they_were_written(tmp_path) -> None:
    point = Point("3d-svc", 1, 500, "float32", 300.0, 200.0, 1.5, 9.0, 12.0, 1.1, 2.0, 0.8, True, False)
    path = tmp_path / "question.json"
    path.write_text(json.dumps([asdict(point)]))
    assert read_points(path) == [point]
    path.write_text(json.dumps([asdict(point) | {"critic": "4d-svc"}]))
    with pytest.raises(ValueError, match=r"question\.json, point 0: .*'4d-svc'"):
        read_points(path)
