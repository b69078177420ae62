"""Named models."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from ldvd_lib import zoo
from ldvd_lib.blocks import InstanceNoise
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.discriminators import Discriminator
from ldvd_lib.gan import DISCRIMINATORS, GENERATORS, NetworkConfig, VideoGAN
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.recipe import GAMES, Game
from ldvd_lib.runs import Run
from ldvd_lib.training import Trainer
from ldvd_lib.views import Frames, Whole, view_of


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_tgan_as_published() -> None:
    config = zoo.config("tgan", "paper")
    recipe = config.recipe
    assert (recipe.loss, recipe.optimizer, recipe.batch_size, recipe.svc_every) == ("wasserstein", "rmsprop", 32, 5)
    assert (recipe.generator_rate, recipe.discriminator_rate, recipe.iterations) == (5e-5, 5e-5, 100_000)
    assert (recipe.average, recipe.frame_stride, recipe.flip, recipe.compile) == (0, 1, False, False)
    with torch.device("meta"):
        gan = config.build()
    assert count(gan.generator) == 4_449_159
    assert count(gan.discriminators["video"]) == 11_032_320


COUNTS = {
    "tgan": 11_032_320,
    "tgan-normal": 11_032_320,
    "tgan-c0": 2_781_952,
    "tgan-f": 2_847_488,
    "tgan-c0-c2": 3_109_632,
    "tgan-c0-c3": 4_158_208,
    "tgan-tsm-c0": 2_765_568,
    "tgan-tsm-c0-c1": 2_765_568,
    "tgan-tsm": 2_765_568,
    "mocogan": 3_314_176,
    "mocogan-no-subsampling": 3_314_176,
    "mocogan-video": 2_650_880,
    "mocogan-image": 663_296,
    "mocogan-2x": 13_181_952,
    "mocogan-2x-video": 10_544_640,
    "mocogan-video-k2": 332_032,
    "mocogan-image-k8": 2_650_880,
    "mocogan-f-c0": 679_680,
    "mocogan-f": 745_216,
    "mocogan-f-c0-c2": 1_007_360,
    "mocogan-f-c0-c3": 1_007_364,
    "mocogan-tsm-c0": 663_296,
    "mocogan-tsm": 663_296,
    "mocogan-tsm-c0-c2": 663_296,
    "mocogan-f-sn": 745_216,
    "mocogan-tsm-sn": 663_296,
    "mocogan-tgan-f": 2_847_488,
    "vgan": 11_057_858,
    "provgan": 3_703_597 + 3_707_785,
    "provgan-sw": 3_703_597 + 3_724_296,
    "tganv2": 88_032_460 + 116_077_060,
    "tganv2-frames": 88_032_460 + 116_077_060,
    "tganv2-batch": 88_032_460 + 116_077_060,
    "tganv2-none": 88_032_460 + 116_077_060,
    "tganv2-svc": 88_032_460 + 116_077_060,
    "tganv2-best": 88_032_460 + 116_077_060,
    # Layer by layer in tests/generators/test_dvdgan.py and tests/discriminators/test_dvdgan.py.
    "dvd-gan": 213_510_747 + 38_405_505 + 40_476_801,
    "dvd-gan-128": 310_905_435 + 58_331_521 + 60_402_817,
    "dvd-gan-1d": 85_116_443 + 38_405_505 + 40_476_801,
    "dvd-gan-unconditional": 209_013_507 + 38_302_081 + 40_373_377,
    "dvd-gan-spatial": 213_510_747 + 38_405_505,
    "dvd-gan-temporal": 213_510_747 + 40_476_801,
    "dvd-gan-1d-spatial": 85_116_443 + 38_405_505,
    "dvd-gan-1d-temporal": 85_116_443 + 40_476_801,
    # A stage of 9,740,379 more from one to the next: tests/generators/test_sswgan.py.
    "ssw-gan-1": 116_116_059 + 19_529_089 + 21_600_385,
    "ssw-gan-2": 125_856_438 + 38_405_505 + 40_476_801 + 19_429_505,
    "ssw-gan-3": 135_596_817 + 58_331_521 + 60_402_817 + 38_305_921,
    "ssw-gan-2-no-matching": 125_856_438 + 38_405_505 + 40_476_801,
}
IN_NO_TABLE = {  # or with no count there
    "vgan",
    "provgan",
    "provgan-sw",
    "mocogan-tsm-sn",
    "tganv2-frames",
    "tganv2-batch",
    "tganv2-none",
    "tganv2-svc",
    "tganv2-best",
    "dvd-gan",
    "dvd-gan-128",
    "dvd-gan-1d",
    "dvd-gan-unconditional",
    "dvd-gan-spatial",
    "dvd-gan-temporal",
    "dvd-gan-1d-spatial",
    "dvd-gan-1d-temporal",
    "ssw-gan-1",
    "ssw-gan-2",
    "ssw-gan-3",
    "ssw-gan-2-no-matching",
}
# MODELS counts the discriminators of Table 9 with biases.
HIGH_RESOLUTION = {
    "tgan-f-128": (4_456_951, 11_248_513),
    "tgan-f-128-4x-temporal": (15_586_807, 11_248_513),
    "tgan-f-128-2x-image": (13_674_375, 11_248_513),
    "tgan-f-128-2x-time": (4_456_951, 11_248_513),
    "tgan-f-128-all": (24_804_231, 44_943_105),
}


def on_meta(name: str, **stack: object) -> VideoGAN:
    config = zoo.config(name, "paper")
    stacks = {key: replace(d, options=d.options | stack) for key, d in config.discriminators.items()}
    with torch.device("meta"):
        return replace(config, discriminators=stacks).build()


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_parameters_of_the_discriminators(name: str) -> None:
    gan = on_meta(name)
    assert count(gan.discriminators if zoo.ENTRIES[name].counted == "D" else gan) == COUNTS[name]


@pytest.mark.parametrize("name", sorted(HIGH_RESOLUTION))
def test_parameters_at_high_resolution(name: str) -> None:
    generator, discriminator = HIGH_RESOLUTION[name]
    gan = on_meta(name, bias=True)
    assert (count(gan.generator), count(gan.discriminators)) == (generator, discriminator)


def test_every_name_is_counted_here() -> None:
    uncounted = {"mocogan-categories", "tgan-f-256"}  # the paper prints no figure
    assert set(zoo.ENTRIES) == set(COUNTS) | set(HIGH_RESOLUTION) | uncounted
    assert {row.name for row in zoo.list_models() if not row.paper} == uncounted | IN_NO_TABLE


def test_our_counts_round_to_the_papers() -> None:
    """Where the paper prints a figure, ours rounds to it, in all rows of Tables 2, 5, 6, 8 and 9."""
    hundreds = {"tganv2"}  # the others in Table 9 are to a million
    for row in zoo.list_models():
        if row.paper:
            printed = row.paper.removesuffix("M")
            digits = -2 if row.name in hundreds else len(printed.partition(".")[2])
            tolerance = 0.51 * 10**-digits
            assert abs(row.ours / 1e6 - float(printed)) <= tolerance, row


def test_the_table_shows_in_text_and_in_notebooks() -> None:
    table = zoo.list_models("tgan-tsm")
    assert [row.name for row in table] == [
        "tgan-tsm-c0",
        "tgan-tsm-c0-c1",
        "tgan-tsm",
    ]
    assert "2,765,568" in repr(table)
    assert table._repr_html_().count("<tr>") == 4


@pytest.mark.parametrize("preset", zoo.PRESETS)
@pytest.mark.parametrize("name", sorted(zoo.ENTRIES))
def test_every_model_scores_what_it_generates(name: str, preset: str) -> None:
    with torch.device("meta"):
        gan = zoo.build(name, preset)
        latents, random = gan.generator.sample_latents(2), torch.Generator("cpu")
        assert gan(latents).shape == (2, 3, gan.num_frames, gan.image_size, gan.image_size)
        views = {key: view_of(discriminator, gan.num_frames) for key, discriminator in gan.discriminators.items()}
        seen = gan.generator.generate(latents, views, random).seen
        for key, discriminator in gan.discriminators.items():
            scores, categories = discriminator.score(seen[key])
            assert len(scores) == sum(map(len, seen[key].levels))
            assert (0 if categories is None else categories.shape[1]) == discriminator.num_categories


def noise(gan) -> WindowSampler:
    """Clips of noise, of as many classes as a GAN tells apart."""
    clips = np.random.default_rng(0).integers(0, 256, (2, 40, gan.image_size, gan.image_size, 3), dtype=np.uint8)
    names = [f"class {number}" for number in range(gan.num_categories or 2)]
    return WindowSampler.for_gan(gan, ClipStore.from_clips(clips, labels=[0, 1], class_names=names))


def test_lite_is_a_quarter_as_wide_at_32_pixels() -> None:
    lite, paper = zoo.build("tgan", "lite"), zoo.build("tgan", "paper")
    assert (lite.image_size, paper.image_size) == (32, 64)
    assert lite.generator.image.channels * 4 == paper.generator.image.channels
    pair = (lite.discriminators["video"].layers[0][0], paper.discriminators["video"].layers[0][0])
    assert pair[0].out_channels * 4 == pair[1].out_channels


def test_vgan_as_published() -> None:
    config = zoo.config("vgan", "paper")
    with torch.device("meta"):
        gan = config.build()
    assert (count(gan.generator), count(gan.discriminators)) == (16_245_383, 11_057_858)
    assert (gan.num_frames, gan.image_size, gan.generator.mask_penalty) == (32, 64, 0.1)
    norms = [layer for layer in gan.discriminators.modules() if isinstance(layer, torch.nn.BatchNorm3d)]
    assert [norm.eps for norm in norms] == [1e-3] * 3
    recipe = config.recipe
    assert (recipe.loss, recipe.optimizer, recipe.betas) == ("non-saturating", "adam", (0.5, 0.999))
    assert (recipe.generator_rate, recipe.discriminator_rate, recipe.batch_size) == (2e-4, 2e-4, 64)
    assert (recipe.svc_every, recipe.average) == (0, 0)


def test_provgan_as_published() -> None:
    config = zoo.config("provgan", "paper")
    with torch.device("meta"):
        gan = config.build()
    for network in gan.networks.values():
        assert network.growth.sizes == ((4, 4), (8, 8), (8, 16), (16, 32), (16, 64), (32, 128), (32, 256))
        assert network.growth.stage_steps * config.recipe.batch_size == 600_000
        assert network.growth.fade_steps * config.recipe.batch_size == 600_000
    recipe = config.recipe
    assert recipe.iterations * recipe.batch_size == 12_000_000
    assert (recipe.loss, recipe.optimizer, recipe.betas) == ("wasserstein", "adam", (0, 0.99))
    assert (recipe.generator_rate, recipe.discriminator_rate, recipe.average) == (1e-3, 1e-3, 0.999)
    assert (recipe.gradient_penalty, recipe.gradient_target, recipe.drift) == (10, 1, 1e-3)
    sliced = zoo.config("provgan-sw", "paper").recipe
    assert sliced == replace(recipe, gradient_penalty=50 / 3, gradient_target=0.0, drift=0.0)


@pytest.mark.parametrize("name", ["provgan", "provgan-sw"])
@pytest.mark.parametrize("preset", zoo.PRESETS)
def test_what_grows_is_grown_before_training_ends(name: str, preset: str) -> None:
    with torch.device("meta"):
        gan = zoo.build(name, preset)
    growth = gan.generator.growth
    assert growth == gan.discriminators["video"].growth
    assert gan.recipe.iterations >= growth.steps + growth.stage_steps
    assert (gan.generator.stage, gan.generator.share) == growth.at(gan.recipe.iterations)  # as nobody told it a step


def test_tganv2_as_published() -> None:
    config = zoo.config("tganv2", "paper")
    with torch.device("meta"):
        gan = config.build()
    assert count(gan) == 204_109_520
    recipe = config.recipe
    assert (recipe.game, recipe.loss, recipe.optimizer, recipe.betas) == ("tganv2", "non-saturating", "adam", (0, 0.9))
    assert (recipe.generator_rate, recipe.discriminator_rate, recipe.rate_decay) == (1e-4, 1e-4, "none")
    # Ten times a sum over the eight videos of a GPU.
    assert (recipe.batch_size, recipe.r1, recipe.svc_every) == (32, 10 * 8, 0)
    best = zoo.config("tganv2-best", "paper").recipe
    assert (best.game, best.batch_size, best.r1, best.rate_decay) == ("tgan", 4 * 32, 0.5 * 32, "linear")


@pytest.mark.parametrize("preset", zoo.PRESETS)
def test_variants_of_tganv2_differ_in_one_thing(preset: str) -> None:
    tganv2, svc = zoo.config("tganv2", preset), zoo.config("tganv2-svc", preset)
    assert (svc.generator, svc.discriminators) == (tganv2.generator, tganv2.discriminators)
    assert svc.recipe == replace(tganv2.recipe, r1=0.0, svc_every=svc.recipe.svc_every)
    assert svc.recipe.svc_every > 0
    for subsampling in ("frames", "batch", "none"):
        variant = zoo.config(f"tganv2-{subsampling}", preset)
        assert variant == replace(zoo.config("tganv2", preset, subsampling=subsampling), name=variant.name)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'tgan'"):
        zoo.build("tgann")
    with pytest.raises(ValueError, match=r"no model is called 'zzzzzz': the choices are \['tgan', "):
        zoo.build("zzzzzz")
    with pytest.raises(ValueError, match=r"preset 'hd'.*lite"):
        zoo.build("tgan", "hd")


def as_if_trained(name: str) -> VideoGenerator:
    """The generator of a name, whose normalisations have met something."""
    generator = zoo.build(name).generator
    for part in generator.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            part.num_batches_tracked += 1
    return generator


@pytest.mark.parametrize("name", sorted(zoo.ENTRIES))
def test_every_player_moves_and_a_resumed_run_equals_an_uninterrupted_one(name: str, tmp_path) -> None:
    config = zoo.config(name, batch_size=2)
    # An average's statistics are measured on 128 videos: with large ones, or residual blocks for each frame, that takes
    # long. (Of DVD-GAN and SSW-GAN, tests/training/test_systems.py and tests/runs/test_stages.py
    # resume small ones with an average.)
    if config.image_size > 32 or name.startswith(("dvd-gan", "ssw-gan")):
        config = config.with_recipe(average=0.0)
    earlier = {"ssw-gan-2": "ssw-gan-1", "ssw-gan-2-no-matching": "ssw-gan-1", "ssw-gan-3": "ssw-gan-2"}.get(name)

    def train(directory: str, steps: int) -> Trainer:
        gan = config.build()
        if earlier:
            gan.generator.begin_after(as_if_trained(earlier))
        options = {"device": "cpu", "callbacks": [], "log_every": 1, "progress": False, "resume": True}
        trainer = Trainer(gan, noise(gan), tmp_path / directory, **options)
        trainer.run(steps)
        return trainer

    before, first = dict(config.build().named_parameters()), train("parts", 1).gan
    losses = Run.open(tmp_path / "parts").metrics()
    # A critic of hinges that is content with its two clips of either kind, as chance may have it, rests.
    content = [f"discriminators.{judge}." for judge in first.discriminators if losses[f"{judge}_loss"][0] == 0]
    growth = getattr(first.generator, "growth", None)
    waiting = [f".{growth.name(stage)}." for stage in range(1, growth.last + 1)] if growth else []
    for key, value in first.named_parameters():
        assert value.isfinite().all(), key
        if value.requires_grad and value.ndim > 1 and not any(part in key for part in [*waiting, *content]):
            assert not torch.equal(value, before[key]), key

    whole, parts = train("whole", 2), train("parts", 2)
    for key, value in whole.players.networks().state_dict().items():
        assert torch.equal(parts.players.networks().state_dict()[key], value), key
    one, two = (Run.open(tmp_path / directory).metrics() for directory in ("whole", "parts"))
    assert one.keys() == two.keys()
    assert all((one[key] == two[key]).all() for key in one.keys() - {"seconds"})


def test_dvd_gan_as_published() -> None:
    recipe = zoo.config("dvd-gan", "paper").recipe
    assert (recipe.game, recipe.loss, recipe.optimizer) == ("dvd-gan", "hinge", "adam")
    assert (recipe.generator_rate, recipe.discriminator_rate, recipe.betas) == (1e-4, 5e-4, (0.0, 0.999))
    assert (recipe.batch_size, recipe.average, recipe.svc_every) == (512, 0.9999, 0)
    assert GAMES[recipe.game] == Game("turn", discriminator_steps=2)
    for name, size in (("dvd-gan", 64), ("dvd-gan-128", 128)):
        with torch.device("meta"):
            gan = zoo.build(name, "paper")
        assert (gan.image_size, gan.num_frames, gan.num_categories) == (size, 16, 101)
        assert (gan.generator.noise_dim, gan.generator.embed.out_features) == (120, 120)
        assert gan.generator.start.out_features == 8 * 128 * 4 * 4
        assert [len(group.blocks) for group in gan.generator.groups] == [2] * (4 if size == 64 else 5)
        judges = gan.discriminators
        views = {name: view_of(judge, 16) for name, judge in judges.items()}
        assert views == {"spatial": Frames(8), "temporal": Whole()}
        assert (judges["spatial"].pooling, judges["temporal"].pooling) == (1, 2)
        over_time = {name: [block.into.kernel_size[0] for block in judge.blocks[:3]] for name, judge in judges.items()}
        assert over_time == {"spatial": [1, 1, 1], "temporal": [3, 3, 1]}
        assert all(judge.embed.num_embeddings == 101 for judge in judges.values())


def test_the_variants_of_dvd_gan_differ_from_it_in_one_way() -> None:
    whole = zoo.config("dvd-gan")
    assert whole.generator.options["num_categories"] == 12
    for both, name in itertools.product(("dvd-gan", "dvd-gan-1d"), ("spatial", "temporal")):
        alone, together = zoo.config(f"{both}-{name}"), zoo.config(both)
        assert alone.discriminators == {name: together.discriminators[name]}
        assert (alone.generator, alone.recipe) == (together.generator, together.recipe)
    other = zoo.config("dvd-gan-1d")
    assert (other.discriminators, other.recipe) == (whole.discriminators, whole.recipe)
    assert other.generator.options == whole.generator.options | {"temporal": "tgan"}
    assert zoo.config("dvd-gan", num_categories=0) == replace(zoo.config("dvd-gan-unconditional"), name="dvd-gan")
    four = zoo.config("dvd-gan-1d", num_categories=4)
    assert all(part.options["num_categories"] == 4 for part in (four.generator, *four.discriminators.values()))
    assert zoo.compare(four) == (True, {})


@pytest.mark.parametrize("preset", zoo.PRESETS)
def test_the_stages_of_ssw_gan_follow_on_one_another(preset: str) -> None:
    """Each has twice the frames and pixels, of the same piece of footage; what is frozen in it is the one before."""
    stages = [zoo.config(f"ssw-gan-{number}", preset) for number in (1, 2, 3)]
    pixels = {"lite": 16, "paper": 32}[preset]
    assert [(stage.num_frames, stage.image_size) for stage in stages] == [
        (8, pixels),
        (16, 2 * pixels),
        (32, 4 * pixels),
    ]
    assert [stage.num_frames * stage.recipe.frame_stride for stage in stages] == [32, 32, 32]
    dvdgan = zoo.config("dvd-gan", preset).recipe
    rates = {"generator_rate": 1e-3, "discriminator_rate": 1e-3} if preset == "lite" else {}  # of what refines
    first, *further = (replace(stage.recipe, frame_stride=1) for stage in stages)
    assert first == dvdgan and all(recipe == replace(dvdgan, **rates) for recipe in further)
    shapes: list[dict[str, torch.Size]] = []
    for stage in stages:
        with torch.device("meta"):
            gan = stage.build()
        own = {name: tensor.shape for name, tensor in gan.generator.state_dict().items()}
        assert all(own[name] == shape for name, shape in (shapes[-1] if shapes else {}).items())
        shapes.append(own)
        window = stage.num_frames if len(shapes) == 1 else gan.generator.window
        judges = gan.discriminators
        assert set(judges) == {"spatial", "temporal"} | ({"matching"} if len(shapes) > 1 else set())
        assert all(judge.num_frames == window for name, judge in judges.items() if name != "spatial")
    assert GAMES[stages[0].recipe.game] == {"lite": Game("step"), "paper": Game("turn", discriminator_steps=2)}[preset]
    with_matching, without = stages[1], zoo.config("ssw-gan-2-no-matching", preset)
    assert (without.generator, without.recipe) == (with_matching.generator, with_matching.recipe)
    judges = with_matching.discriminators
    assert without.discriminators == {name: judge for name, judge in judges.items() if name != "matching"}


def test_overrides_go_to_the_recipe_and_to_the_networks_that_share_the_value() -> None:
    config = zoo.config("mocogan", loss="hinge", num_frames=14, image_size=64, noise=0.1)
    assert config.recipe.loss == "hinge"
    gan = config.build()
    assert (gan.num_frames, gan.image_size) == (14, 64)
    image, video = gan.discriminators["image"], gan.discriminators["video"]
    assert (image.num_frames, video.num_frames) == (1, 14)  # single frames stay single
    assert image.image_size == video.image_size == 64
    for discriminator in (image, video):
        assert any(isinstance(module, InstanceNoise) for module in discriminator.modules())
    assert zoo.config("tgan-f", aggregation="max").discriminators["video"].options["aggregation"] == "max"
    categories = zoo.build("mocogan-categories", num_categories=5)
    assert categories.generator.num_categories == categories.discriminators["video"].num_categories == 5
    assert categories.discriminators["image"].num_categories == 0
    assert zoo.build("tgan", svc_every=3).recipe.svc_every == 3
    assert zoo.config("tgan") == zoo.config("tgan", svc_every=1)


def test_an_override_that_nothing_has_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"tgan has no option or value 'base_chanels': did you mean 'base_channels'"):
        zoo.build("tgan", base_chanels=3)
    with pytest.raises(ValueError, match="image_size is '64', a str, but must be of type int"):
        zoo.build("tgan", image_size="64")


@pytest.fixture
def clean_zoo() -> Iterator[None]:
    """What a test registers is gone afterwards."""
    registries = (GENERATORS, DISCRIMINATORS, zoo.ENTRIES, zoo.ALIASES)
    before = [dict(registry) for registry in registries]
    yield
    for registry, content in zip(registries, before, strict=True):
        registry.clear()
        registry.update(content)


@pytest.mark.usefixtures("clean_zoo")
def test_a_network_and_a_model_of_ones_own_are_used_as_any_other(tmp_path) -> None:
    @zoo.register("mean-colour")
    class MeanColour(Discriminator):
        """Judges a clip by its mean colour."""

        def __init__(self, weight: float = 1.0) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)
            self.weight = weight

        def forward(self, videos: torch.Tensor) -> torch.Tensor:
            return self.weight * self.layer(videos.mean((2, 3, 4))).squeeze(1)

    @zoo.register("tgan-colour", source="here", aliases=("colour",))
    def tgan_colour(preset: str) -> tuple:
        tgan = zoo.config("tgan", preset)
        return tgan.generator, {"colour": NetworkConfig("mean-colour", {"weight": 2.0})}, tgan.recipe

    gan = zoo.build("colour", batch_size=2)
    assert isinstance(gan.discriminators["colour"], MeanColour)
    assert gan.discriminators["colour"].weight == 2.0
    Trainer(gan, noise(gan), tmp_path / "run", device="cpu", callbacks=[], progress=False).run(1)
    assert Run.open(tmp_path / "run").gan().config == gan.config
    assert [row.name for row in zoo.list_models("colour")] == ["tgan-colour"]
    # A cell that is run again defines it again; another thing of that name is something else.
    zoo.register("tgan-colour", tgan_colour)
    with pytest.raises(ValueError, match="'tgan-colour' is taken"):
        zoo.register("tgan-colour", lambda preset: tgan_colour(preset))
    with pytest.raises(ValueError, match="'tgan' is taken"):
        zoo.register("tgan", tgan_colour)
    with pytest.raises(ValueError, match="must be a subclass of VideoGenerator or Discriminator, or a function"):
        zoo.register("linear", torch.nn.Linear)


def test_the_number_of_categories_is_that_of_the_data_and_makes_no_other_model() -> None:
    """A model that tells no classes apart is another one with categories."""
    assert zoo.compare(zoo.config("mocogan-categories", num_categories=4)) == (True, {})
    fewer = zoo.config("mocogan-categories", "paper", num_categories=3).with_recipe(average=0.5)
    assert zoo.compare(fewer) == (True, {"average": 0.5})
    video = fewer.discriminators["video"]
    five = replace(video, options=video.options | {"num_categories": 5})
    mixed = replace(fewer, discriminators=fewer.discriminators | {"video": five})
    assert not zoo.compare(mixed)[0]
    assert not zoo.compare(zoo.config("mocogan", num_categories=4))[0]
    assert not zoo.compare(zoo.config("mocogan-categories", num_categories=0))[0]
