"""Which trainings the rows of tables need."""

import threading
import time

import pytest

from ldvd_lib import paper, zoo
from ldvd_lib.paper.question import CRITICS
from ldvd_lib.reproduce import Order, make_plan, plan, recall, remember
from ldvd_lib.reproduce.plan import TARGETS, models_of


def names(*targets: str, **options) -> list[tuple[int, str]]:
    return [(training.seed, training.config.name) for training in make_plan(Order(targets, **options)).trainings]


def test_all_rows_come_with_one_seed_before_any_comes_with_the_next() -> None:
    assert names("5a", rows=("tgan", "tgan-f"), seeds=(0, 1)) == [
        (0, "tgan"),
        (0, "tgan-f"),
        (1, "tgan"),
        (1, "tgan-f"),
    ]
    assert [seed for seed, _ in names("2", "6", seeds=(4, 2))] == [2] * 15 + [4] * 15


def test_a_row_of_several_tables_is_trained_once() -> None:
    pairs = names("5", "6", "8")
    assert len(pairs) == len(set(pairs))
    rows = {row.model for number in ("5a", "5b", "6a", "6b", "8") for row in paper.table(number).rows if row.model}
    assert {model for _, model in pairs} == rows


def test_a_table_of_two_parts_is_both() -> None:
    assert Order(("5",)).targets == ("5a", "5b")
    assert Order(("3", "5", "5a")).targets == ("3a", "5a", "5b")
    assert Order(("8", "5a", "5")).targets == ("8", "5a", "5b")


@pytest.mark.parametrize("target", [*TARGETS, "curvature"])
def test_every_model_that_is_needed_exists_at_either_scale(target: str) -> None:
    order = Order((target,))
    for name in (name for target in order.targets for name in models_of(target)):
        assert zoo.config(name, "lite").name == zoo.config(name, "paper").name == name


def test_rows_without_a_model_of_ours_are_named() -> None:
    plan = make_plan(Order(("8", "9", "tganv2")))
    assert plan.left_out == {"8": {}, "9": {}, "tganv2": {"batch of 256": "no model of the zoo"}}


def test_what_subsampling_is_worth_is_four_trainings_a_seed_that_differ_in_nothing_else() -> None:
    plan = make_plan(Order(("tganv2",), seeds=(0, 1, 2)))
    assert [(training.seed, training.config.name) for training in plan.trainings] == [
        (seed, name) for seed in (0, 1, 2) for name in ("tganv2", "tganv2-frames", "tganv2-batch", "tganv2-none")
    ]
    assert plan.left_out["tganv2"] == {"batch of 256": "no model of the zoo"}
    assert len({training.config.recipe for training in plan.trainings}) == 1
    options = [training.config.generator.options | {"subsampling": ""} for training in plan.trainings]
    assert all(one == options[0] for one in options)


def test_a_change_that_makes_two_rows_one_is_seen() -> None:
    assert (0, "mocogan-no-subsampling") in names("2")
    order = Order(("2",), changes={"frame_stride": 1})
    assert (0, "mocogan-no-subsampling") not in names("2", changes={"frame_stride": 1})
    reason = make_plan(order).left_out["2"]["no temporal subsampling"]
    assert reason == "with these settings it is mocogan"


def test_steps_are_the_recipes_unless_they_are_given() -> None:
    (lite,) = make_plan(Order(("3",), rows=("tgan",))).trainings
    (paper_scale,) = make_plan(Order(("3",), rows=("tgan",), preset="paper")).trainings
    (short,) = make_plan(Order(("3",), rows=("tgan",), steps=7)).trainings
    assert (lite.steps, paper_scale.steps, short.steps) == (1_200, 100_000, 7)
    assert paper_scale.config == zoo.config("tgan", "paper")


def test_the_claims_have_recipes_and_a_directory_of_their_own() -> None:
    tables, claims = make_plan(Order(("5a", "curvature"), rows=("tgan",), preset="paper")).trainings
    assert tables.directory.as_posix() == "runs/seed-0/tgan"
    assert claims.directory.as_posix() == "curvature/seed-0/tgan"
    assert (tables.config.preset, claims.config.preset) == ("paper", "lite")
    assert (claims.steps, claims.probe_every, claims.protocol) == (150, 50, None)
    trainings = make_plan(Order(("curvature",))).trainings
    recipes = {training.config.name: training.config.recipe for training in trainings}
    assert recipes["tgan"] == recipes["tgan-f"]
    assert {recipe.frame_stride for recipe in recipes.values()} == {1}


def test_the_question_trains_every_critic_probed_and_judged() -> None:
    trainings = make_plan(Order(("question",), seeds=(0, 1))).trainings
    assert [(training.seed, training.config.name) for training in trainings] == [
        (seed, critic) for seed in (0, 1) for critic in CRITICS
    ]
    assert {(training.steps, training.probe_every, training.samples) for training in trainings} == {(500, 50, 512)}
    assert trainings[0].directory.as_posix() == "question/seed-0/3d-free"
    changes = {"precision": "bfloat16", "compile": True}  # probes need what is not compiled
    (one,) = make_plan(Order(("question",), rows=("c0-svc",), steps=7, samples=9, changes=changes)).trainings
    assert (one.steps, one.samples, one.config.recipe.precision) == (7, 9, "bfloat16")
    assert not one.config.recipe.compile


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"targets": ("4",)}, "'4' cannot be reproduced: the choices are"),
        ({"targets": ("7",)}, "benchmarks/data_scores.py"),
        ({"targets": ()}, "at least one table"),
        ({"targets": ("5a",), "rows": ("tgan-ff",)}, "did you mean 'tgan-f'"),
        ({"targets": ("5a",), "rows": ("tgan", "mocogan")}, "5a have no row of 'mocogan'"),
        ({"targets": ("5a",), "rows": ("3d-svc",)}, "5a have no row of '3d-svc'"),
        ({"targets": ("question",), "rows": ("tgan",)}, "question have no row of 'tgan'"),
        (
            {"targets": ("5a",), "changes": {"compile": True}, "probe_every": 50},
            "--probe-every needs second derivatives",
        ),
    ],
)
def test_what_cannot_be_done_is_said(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Order(**arguments)


def test_another_name_of_a_row_will_do() -> None:
    assert Order(("5a",), rows=("tgan-c0-c1",)).rows == ("tgan-f",)


def test_an_order_takes_the_place_of_earlier_ones_of_its_tables(tmp_path) -> None:
    assert recall(tmp_path) == []
    first = Order(("5a", "6a"), steps=10, changes={"frame_stride": 1}, rows=("tgan",))
    second = Order(("6a", "curvature"), seeds=(0, 1))
    remember(first, tmp_path)
    remember(second, tmp_path)
    kept, newest = recall(tmp_path)
    assert (kept.targets, kept.steps, kept.changes, kept.rows) == (("5a",), 10, {"frame_stride": 1}, ("tgan",))
    assert newest == second


def test_orders_that_are_given_at_once_are_both_remembered(tmp_path, monkeypatch) -> None:
    def slow(directory) -> list[Order]:
        orders = recall(directory)
        time.sleep(0.1)
        return orders

    monkeypatch.setattr(plan, "recall", slow)
    threads = [threading.Thread(target=remember, args=(Order((target,)), tmp_path)) for target in ("5a", "6a")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order.targets for order in recall(tmp_path)) == [("5a",), ("6a",)]
