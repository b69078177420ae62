"""A run after another: SSW-GAN's stages."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from ldvd_lib.blocks import coarse
from ldvd_lib.gan import VideoGAN
from ldvd_lib.hessian import objective_of
from ldvd_lib.runs import Run, begin_after
from ldvd_lib.training import SpectrumProbe, Trainer, sample_videos


def train(gan: VideoGAN, directory: Path, steps: int, **options) -> Trainer:
    options = {"device": "cpu", "callbacks": [], "progress": False, "log_every": 1, **options}
    trainer = Trainer(gan, tiny.sswgan_sampler(gan), directory, **options)
    trainer.run(steps)
    return trainer


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Runs ``1``, ``2`` and ``3`` of three steps each, one after the other."""
    root = tmp_path_factory.mktemp("runs")
    for stage in (1, 2, 3):
        gan = tiny.sswgan(stage).build(seed=stage)
        if stage > 1:
            begin_after(gan, root / str(stage - 1))
        train(gan, root / str(stage), 3, callbacks=[SpectrumProbe(every=3, k=1, max_products=12)])
    return root


def test_earlier_stages_are_those_of_the_earlier_runs_average_bit_for_bit(runs: Path) -> None:
    """After training: weights, statistics, vectors of spectral normalisation; in the generator and in its average."""
    earlier = {}
    for stage in (1, 2, 3):
        run = Run.open(runs / str(stage))
        for averaged in (True, False):
            stages = run.generator(averaged=averaged).stages.state_dict()
            assert stages.keys() >= earlier.keys()
            assert all(torch.equal(stages[name], tensor) for name, tensor in earlier.items())
        earlier = run.generator().stages.state_dict()
    names = ("running_mean", "num_batches_tracked", "parametrizations.weight.0._u", "parametrizations.weight.original")
    assert all(any(name.endswith(ending) for name in earlier) for ending in names)
    assert any(not torch.equal(earlier[name], tensor) for name, tensor in stages.items()), "stage 3 learnt"


def test_the_newest_stage_learns_in_every_layer(runs: Path) -> None:
    for stage in (2, 3):
        begun = begin_after(tiny.sswgan(stage).build(seed=stage), runs / str(stage - 1)).generator
        learnt = Run.open(runs / str(stage)).generator(averaged=False)
        for name, parameter in learnt.named_parameters():
            if parameter.ndim > 1:
                is_newest = name.startswith(f"stages.{stage - 1}.")
                assert torch.equal(parameter, begun.get_parameter(name)) != is_newest, name


def test_a_later_stage_refines_what_the_earlier_run_draws(runs: Path) -> None:
    first, second = (Run.open(runs / str(stage)).generator() for stage in (1, 2))
    latents = second.sample_latents(3, generator=torch.Generator().manual_seed(0))
    of_first = torch.cat([latents[:, :4], latents[:, 8:]], dim=1)
    assert torch.equal(second.stage_videos(latents)[0], first(of_first))


def test_its_run_needs_the_earlier_one_no_more(runs: Path, tmp_path) -> None:
    """Opened, sampled, probed, and resumed bit for bit, with the earlier run gone."""
    shutil.copytree(runs / "2", tmp_path / "2")
    run = Run.open(tmp_path / "2")
    assert run.config.model == tiny.sswgan(2)
    videos = sample_videos(run.generator(), 3, seed=1)
    assert videos.shape == (3, 3, 4, 16, 16)
    assert torch.equal(videos, sample_videos(run.generator(), 3, seed=1))
    assert run.spectrum().keys() == {"spatial", "temporal", "matching"}
    parts = train(tiny.sswgan(2).build(seed=5), tmp_path / "2", 5, resume=True)
    whole = train(begin_after(tiny.sswgan(2).build(seed=2), runs / "1"), tmp_path / "whole", 5)
    state = parts.players.networks().state_dict()
    for name, tensor in whole.players.networks().state_dict().items():
        assert torch.equal(state[name], tensor), name
    one, two = (Run.open(tmp_path / name).metrics() for name in ("2", "whole"))
    assert all((one[name] == two[name]).all() for name in one.keys() - {"seconds"})


def test_a_probe_of_the_matching_discriminator_is_of_pairs(runs: Path) -> None:
    gan = Run.open(runs / "2").gan()
    videos, labels, _ = tiny.sswgan_sampler(gan).peek(4)
    objective = objective_of(gan, "matching", videos, labels=labels)
    assert torch.equal(objective.real.context, coarse(objective.real.video))
    assert objective.fake.context.shape == objective.real.context.shape == (4, 3, 1, 8, 8)
    assert objective().isfinite()


def test_a_stage_without_the_one_before_is_refused_and_leaves_nothing_behind(tmp_path) -> None:
    gan = tiny.sswgan(2).build()
    with pytest.raises(ValueError, match=r"stage 1 paints, which nobody has trained: give the run of stage 1"):
        Trainer(gan, tiny.sswgan_sampler(gan), tmp_path / "run", device="cpu", progress=False)
    assert list((tmp_path / "run").glob("[!.]*")) == []


def test_a_run_that_does_not_come_before_is_refused(runs: Path, tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a run directory"):
        begin_after(tiny.sswgan(2).build(), tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"comes after a generator of {'stages': 1.* one of {'stages': 2"):
        begin_after(tiny.sswgan(2).build(), runs / "2")
    with pytest.raises(ValueError, match="VGANGenerator learns everything in one training"):
        begin_after(tiny.vgan().build(), runs / "1")
    faster = tiny.sswgan(2)
    faster = replace(faster, recipe=replace(faster.recipe, frame_stride=1))
    message = r"trained on 2 frames with a frame stride of 4, .* on 4 with one of 1, which is not the same piece"
    with pytest.raises(ValueError, match=message):
        begin_after(faster.build(), runs / "1")


def test_a_run_that_was_told_other_classes_is_refused(runs: Path) -> None:
    names = Run.open(runs / "1").config.class_names
    gan = tiny.sswgan(2).build(seed=2)
    assert begin_after(gan, runs / "1", class_names=names) is begin_after(gan, runs / "1") is gan
    with pytest.raises(ValueError, match=r"1 was told the classes .*: train both on the same footage"):
        begin_after(gan, runs / "1", class_names=[f"not {name}" for name in names])
