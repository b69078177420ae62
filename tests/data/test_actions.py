"""The built-in data set: reproducible frames, factors that tell nothing of each other, everything moves and in view."""

import dataclasses
import itertools
import json
import re
import threading
import time

import numpy as np
import pytest

from ldvd_lib.data import actions, decode, ucf101
from ldvd_lib.data.actions import clip as clip_module
from ldvd_lib.data.actions import factors, files, poses, scenery
from ldvd_lib.data.actions.figure import Body

CLIPS, FRAMES = 4, 5


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return actions.render(
        tmp_path_factory.mktemp("data") / "actions", clips_per_class=CLIPS, frames_per_clip=FRAMES, progress=False
    )


def still_camera(motion):
    return dataclasses.replace(motion, pan=0.0, zoom=0.0)


def difference(first, second):
    return np.abs(first.astype(float) - second).mean()


# One clip


def test_same_factors_give_the_same_frames():
    content, motion = actions.Content.draw(3), actions.Motion.draw(4)
    clip = actions.render_clip(content, motion, num_frames=4)
    assert clip.shape == (4, 240, 320, 3)
    assert clip.dtype == np.uint8
    scenery._scene.cache_clear()
    assert np.array_equal(clip, actions.render_clip(actions.Content.draw(3), actions.Motion.draw(4), num_frames=4))


def test_a_longer_clip_begins_with_the_shorter_one():
    content, motion = actions.Content.draw(5), actions.Motion.draw(6, "Running")
    assert np.array_equal(
        actions.render_clip(content, motion, num_frames=5)[:3], actions.render_clip(content, motion, num_frames=3)
    )


@pytest.mark.parametrize("class_name", actions.CLASSES)
def test_every_action_moves_visibly_even_when_small(class_name):
    content, motion = actions.Content.draw(0), still_camera(actions.Motion.draw(1, class_name))
    clip = actions.render_clip(content, motion, num_frames=9)[::4, :, 40:280]
    small = clip.reshape(len(clip), 30, 8, 30, 8, 3).mean(axis=(2, 4))
    moved = np.abs(np.diff(small, axis=0)).max(axis=-1)
    assert (moved > 20).mean() > 0.01  # ten pixels of the 30 × 30 change clearly from one look to the next


@pytest.mark.parametrize("class_name", actions.CLASSES)
def test_the_subject_stays_in_the_middle_square(class_name, monkeypatch):
    # Neither painting nor drawing is needed to know where things are.
    monkeypatch.setattr(clip_module, "scene", lambda content: type("Place", (), {"tint": np.ones(3)}))
    for seed in range(25):
        stage, _ = clip_module.stage(actions.Content.draw(seed), actions.Motion.draw(seed + 99, class_name), 80)
        bounds = np.array([stage.bounds(frame) for frame in range(0, 80, 3)])
        assert bounds[:, 0].min() >= 40 and bounds[:, 2].max() <= 280, seed
        assert bounds[:, 1].min() >= 0 and bounds[:, 3].max() <= 240, seed


def test_the_subject_is_large(monkeypatch):
    monkeypatch.setattr(clip_module, "scene", lambda content: type("Place", (), {"tint": np.ones(3)}))
    for class_name in set(actions.CLASSES) - {"BouncingBall"}:
        stage, _ = clip_module.stage(actions.Content.draw(1), actions.Motion.draw(2, class_name), 30)
        left, top, right, bottom = stage.bounds(0)
        assert max(bottom - top, right - left) > 120, class_name


def test_places_differ_and_their_picture_does_not_depend_on_who_is_in_it():
    contents = [actions.Content.draw(0, place) for place in factors.PLACES[::3]]
    views = [clip_module.scene(content).view(0.0, 0.0, 1.05) for content in contents]
    for first, second in itertools.combinations(views, 2):
        assert difference(first, second) > 8
    changed = dataclasses.replace(contents[3], shirt=contents[3].trousers, hair="black", build=1.0)
    assert np.array_equal(clip_module.scene(changed).view(0.0, 0.0, 1.05), views[3])


def test_the_ground_moves_with_the_feet_and_the_backdrop_less():
    place = clip_module.scene(
        dataclasses.replace(actions.Content.draw(0), setting="hall", palette="maple", horizon=0.0)
    )
    still, moved = place.view(0.0, 0.0, 1.05).astype(float), place.view(16.0, 0.0, 1.05).astype(float)

    def shift(rows):
        errors = [np.abs(still[rows, 60 + s : 260 + s] - moved[rows, 60:260]).mean() for s in range(0, 30)]
        return int(np.argmin(errors))

    assert abs(shift(slice(211, 214)) - 17) <= 1  # 16 pixels, magnified
    assert 6 <= shift(slice(20, 120)) <= 12


# How bodies move


@pytest.mark.parametrize("class_name", poses.ARTICULATED)
def test_poses_repeat_after_a_cycle_and_never_jump(class_name):
    pose_at = poses.ARTICULATED[class_name][0]
    cycles = np.linspace(0, 1, 41)
    pose = pose_at(cycles, 1.0, Body())
    for part in ("pelvis", "spine", "hands", "feet", "toes", "twist"):
        values = getattr(pose, part)
        time = {"toes": 1, "twist": 0}.get(part, values.ndim - 2)
        first, last = np.take(values, 0, axis=time), np.take(values, -1, axis=time)
        assert np.allclose(first, last, atol=1e-9), part
        assert np.abs(np.diff(values, axis=time)).max() < 0.3, part


@pytest.mark.parametrize("action", [poses.walking, poses.running])
def test_a_foot_on_the_ground_stays_where_it_is(action):
    body = Body()
    pose = action(np.linspace(0, 2, 400), 1.0, body)
    x = pose.feet[..., 0] + pose.travel
    standing = pose.feet[..., 1] < body.ankle + 1e-6
    both = standing[:, 1:] & standing[:, :-1]
    assert both.mean() > 0.1
    assert np.abs(np.diff(x, axis=1))[both].max() < 1e-9


# Factors


def test_content_and_motion_are_drawn_independently():
    drawn = [
        {**dataclasses.asdict(actions.Content.draw(2 * seed)), **dataclasses.asdict(actions.Motion.draw(2 * seed + 1))}
        for seed in range(600)
    ]
    codes = {}
    for name in drawn[0]:
        values = [factor[name] for factor in drawn]
        order = sorted(set(values))
        codes[name] = np.array([order.index(value) for value in values], dtype=float)
    for content, motion in itertools.product(factors.FACTORS["content"], factors.FACTORS["motion"]):
        correlation = np.corrcoef(codes[content], codes[motion])[0, 1]
        assert abs(correlation) < 0.16, (content, motion)  # four standard errors
    for first, second in itertools.combinations(factors.FACTORS["motion"], 2):
        assert abs(np.corrcoef(codes[first], codes[second])[0, 1]) < 0.16, (first, second)


def test_naming_the_action_changes_nothing_else():
    walk, run = (actions.Motion.draw(8, name) for name in ("Walking", "Running"))
    assert dataclasses.replace(walk, class_name="Running") == run


def test_every_place_leaves_a_choice_of_clothes():
    for seed in range(300):
        content = actions.Content.draw(seed)
        assert len({content.shirt, content.trousers, content.accent}) == 3
        palette = actions.SETTINGS[content.setting][content.palette]
        assert factors.colour_distance(factors.CLOTH[content.shirt], palette.bottom) > factors.STANDS_OUT


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"Motion.class_name 'Juggling' is unknown: .*\['BouncingBall', .*'Walking'\]"):
        actions.Motion.draw(0, "Juggling")
    with pytest.raises(ValueError, match=r"Content.palette 'noon' is unknown: .*choices are"):
        dataclasses.replace(actions.Content.draw(0), setting="hall", palette="noon")


# On disk


def test_the_tree_is_one_of_ucf101(root):
    assert ucf101.read_classes(root / "ucfTrainTestlist") == list(actions.CLASSES)
    for fold in (1, 2, 3):
        parts = {part: ucf101.index(root, subset=part, fold=fold, strict=True) for part in ("train", "test")}
        assert len(parts["train"].clips) + len(parts["test"].clips) == CLIPS * len(actions.CLASSES)
        groups = {part: {clip.group for clip in index.clips} for part, index in parts.items()}
        assert groups["train"] and groups["test"] and not groups["train"] & groups["test"]
        assert {clip.num_frames for index in parts.values() for clip in index.clips} == {FRAMES}
    info = decode.probe(root / "UCF-101" / "Walking" / "v_Walking_g01_c01.avi")
    assert (info.fps, info.width, info.height) == (25, 320, 240)


def test_lines_of_the_split_files_are_as_the_official_ones(root):
    splits = root / "ucfTrainTestlist"
    assert (splits / "classInd.txt").read_bytes().startswith(b"1 BouncingBall\n2 Boxing\n")
    assert (splits / "testlist01.txt").read_bytes().startswith(b"BouncingBall/v_BouncingBall_g01_c01.avi\r\n")
    assert (splits / "trainlist01.txt").read_bytes().startswith(b"BouncingBall/v_BouncingBall_g02_c01.avi 1\r\n")


def test_folds_test_on_the_groups_that_ucf101_tests_on():
    assert [files.tested_groups(25, fold) for fold in (1, 2, 3)] == [
        set(range(1, 8)),
        set(range(8, 15)),
        set(range(15, 22)),
    ]
    for num_groups, fold in itertools.product(range(2, 25), (1, 2, 3)):
        assert 0 < len(files.tested_groups(num_groups, fold)) < num_groups


def test_a_group_is_one_person_in_one_place_in_every_class():
    plans = files.plan(30, seed=1)
    assert len({plan.name for plan in plans}) == len(plans) == 30 * len(actions.CLASSES)
    for group in range(1, 26):
        assert len({plan.content for plan in plans if plan.group == group}) == 1
    contents = {plan.content for plan in plans}
    assert len(contents) == 25
    places = [(content.setting, content.palette) for content in contents]
    assert {places.count(place) for place in factors.PLACES} == {2, 3}
    assert len({plan.motion for plan in plans}) == len(plans)
    assert {plan.name: plan.motion for plan in files.plan(6, seed=1)}.items() <= {
        plan.name: plan.motion for plan in plans
    }.items()


def test_the_files_show_what_the_factors_say(root):
    recorded = actions.read_factors(root)
    assert len(recorded) == CLIPS * len(actions.CLASSES)
    content, motion = recorded["v_Kicking_g02_c01"]
    assert motion.class_name == "Kicking"
    decoded = decode.decode(root / "UCF-101" / "Kicking" / "v_Kicking_g02_c01.avi")
    rendered = actions.render_clip(content, motion, num_frames=FRAMES)
    error = ((decoded.astype(float) - rendered) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 33  # dB


def test_a_finished_data_set_is_left_alone_and_another_is_refused(root, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert actions.render(root, clips_per_class=CLIPS, frames_per_clip=FRAMES, progress=False) == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    with pytest.raises(FileExistsError, match=r"seed 0 instead of 7.*give another directory"):
        actions.render(root, clips_per_class=CLIPS, frames_per_clip=FRAMES, seed=7)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no rendered data set"):
        actions.render(tmp_path)


def test_a_broken_off_run_goes_on_where_it_stopped(root, tmp_path, monkeypatch):
    write, written = files.write_avi, []

    def write_twenty(video, path):
        if len(written) == 20:
            raise OSError("no space left on device")
        write(video, path)
        written.append(path.name)

    parameters = {"clips_per_class": CLIPS, "frames_per_clip": FRAMES, "progress": False, "workers": 1}
    target = tmp_path / "actions"
    monkeypatch.setattr(files, "write_avi", write_twenty)
    with pytest.raises(OSError, match="no space"):
        actions.render(target, **parameters)
    assert not target.exists()
    (tmp_path / "actions.unfinished" / "UCF-101" / "Boxing" / ".v_Boxing_g01_c01-0a1b2c3d.avi").write_bytes(
        b"killed here"
    )

    monkeypatch.setattr(files, "write_avi", lambda video, path: (write(video, path), written.append(path.name)))
    actions.render(target, **parameters)
    assert len(written) == len(set(written)) == CLIPS * len(actions.CLASSES)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".actions.lock", "actions"]
    # The same bytes as of an unbroken run with more workers.
    made, expected = (sorted(path for path in tree.rglob("*") if path.is_file()) for tree in (target, root))
    assert [path.relative_to(target) for path in made] == [path.relative_to(root) for path in expected]
    assert all(first.read_bytes() == second.read_bytes() for first, second in zip(made, expected, strict=True))


@pytest.mark.parametrize("wrong", [{"clips_per_class": 1}, {"frames_per_clip": 0}, {"workers": 0}])
def test_parameters_that_make_no_sense_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        actions.render(tmp_path / "actions", **wrong)
    assert not any(tmp_path.iterdir())


@pytest.fixture
def quick(monkeypatch):
    """Options of a data set of two clips a class whose frames cost nothing: what is tested is how files are written."""
    frames = np.zeros((2, 240, 320, 3), dtype=np.uint8)
    monkeypatch.setattr(files, "render_clip", lambda content, motion, num_frames: frames[:num_frames])
    return {"clips_per_class": 2, "frames_per_clip": 2, "progress": False}


def test_two_that_render_the_same_data_set_do_it_once(quick, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("ldvd_lib._kit.lock._SILENCE", 0.0)
    at_work, real, written, done = threading.Event(), files.write_avi, [], []

    def slowly(video, path):
        at_work.set()
        while "being made by another process" not in caplog.text:  # the other has come, and waits
            time.sleep(0.01)
        real(video, path)
        written.append(path.name)

    monkeypatch.setattr(files, "write_avi", slowly)
    threads = [
        threading.Thread(target=lambda: done.append(actions.render(tmp_path / "actions", **quick))) for _ in range(2)
    ]
    threads[0].start()
    assert at_work.wait(timeout=30)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert done == [tmp_path / "actions"] * 2
    assert len(written) == len(set(written)) == 2 * len(actions.CLASSES)


def test_nothing_gets_its_name_before_it_is_on_the_disk(quick, tmp_path, unsafe_moves):
    actions.render(tmp_path / "actions", **quick)
    assert unsafe_moves == []


def test_a_full_disk_is_named_and_no_cut_clip_passes_for_whole(quick, tmp_path, full_disk):
    with full_disk(4_000), pytest.raises(OSError, match=r"free some space.*\.avi"):
        actions.render(tmp_path / "actions", **quick)
    assert not (tmp_path / "actions").exists() and not list(tmp_path.rglob("*.avi"))
    whole = actions.render(tmp_path / "actions", **quick)
    assert {decode.probe(path).num_frames for path in whole.rglob("*.avi")} == {2}


@pytest.mark.parametrize("target", ["empty", "not there yet"])
def test_a_link_leads_to_where_a_data_set_is_rendered(quick, tmp_path, target):
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    link = tmp_path / "actions"
    link.symlink_to(tmp_path / "disk" / target)
    assert actions.render(link, **quick) == link
    assert link.is_symlink() and (tmp_path / "disk" / target / "factors.json").is_file()


def test_damaged_factors_are_named(root, tmp_path):
    path = tmp_path / "factors.json"
    with pytest.raises(FileNotFoundError, match=r"no factors\.json"):
        actions.read_factors(tmp_path)
    document = json.loads((root / "factors.json").read_text())
    name = next(iter(document["clips"]))
    for content in ("", "[]", '{"parameters": 7}', (root / "factors.json").read_text()[:-30]):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"factors\.json"):
            actions.read_factors(tmp_path)
        with pytest.raises((ValueError, FileExistsError), match=re.escape(str(tmp_path))):
            actions.render(tmp_path)
        assert path.read_text() == content
    for wrong in (7, {}, {"content": {}}, document["clips"][name] | {"motion": {"class_name": "Dancing"}}):
        path.write_text(json.dumps(document | {"clips": document["clips"] | {name: wrong}}))
        with pytest.raises(ValueError, match=rf"factors\.json, {name}"):
            actions.read_factors(tmp_path)


def test_an_unfinished_data_set_whose_factors_are_damaged_is_begun_anew(quick, tmp_path):
    (tmp_path / "actions.unfinished").mkdir()
    (tmp_path / "actions.unfinished" / "factors.json").write_text("{")
    (tmp_path / "actions.unfinished" / "holiday.avi").write_text("of whom?")
    assert not (actions.render(tmp_path / "actions", **quick) / "holiday.avi").exists()


def test_a_hidden_directory_in_an_unfinished_data_set_does_no_harm(quick, tmp_path, monkeypatch):
    whole = actions.render(tmp_path / "actions", **quick)
    whole.rename(tmp_path / "again.unfinished")
    (tmp_path / "again.unfinished" / ".ipynb_checkpoints").mkdir()
    assert actions.render(tmp_path / "again", **quick).is_dir()


def test_factors_are_plain_json(root):
    document = json.loads((root / "factors.json").read_text())
    assert document["parameters"] == {"format": 1, "clips_per_class": CLIPS, "frames_per_clip": FRAMES, "seed": 0}
    assert document["clips"]["v_Squats_g01_c01"]["motion"]["class_name"] == "Squats"
