"""A toy of each system whose ways differ from TGAN's and MoCoGAN's: what a generator or a discriminator may do."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ldvd_lib import zoo
from ldvd_lib.batch import Batch, Fakes
from ldvd_lib.discriminators import Discriminator
from ldvd_lib.gan import NetworkConfig, VideoGANConfig
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.recipe import Recipe
from ldvd_lib.views import Levels, Pair, View

SIZE, FRAMES, CLASSES = 8, 4, 2


@zoo.register("toy")
class ToyGenerator(VideoGenerator):
    """A linear map from latents to clips, of so many pixels and frames."""

    def __init__(self, image_size: int = SIZE, num_frames: int = FRAMES, num_categories: int = 0) -> None:
        super().__init__()
        self.image_size, self.num_frames, self.num_categories = image_size, num_frames, num_categories
        self.latent_dim = 5 + num_categories
        self.paint = nn.Linear(self.latent_dim, 3 * num_frames * image_size**2)

    @property
    def latent_parts(self) -> dict[str, slice]:
        parts = {"latent": slice(0, 5)}
        return parts | ({"category": slice(5, self.latent_dim)} if self.num_categories else {})

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        latents = torch.randn(n, 5, generator=generator)
        if self.num_categories:
            drawn = torch.randint(self.num_categories, (n,), generator=generator)
            latents = torch.cat([latents, F.one_hot(drawn, self.num_categories)], dim=1)
        return latents.to(self.paint.weight)

    def forward(self, latents: Tensor) -> Tensor:
        shape = (3, self.num_frames, self.image_size, self.image_size)
        return self.paint(latents).unflatten(1, shape).tanh()


@zoo.register("toy-masked")
class MaskedGenerator(ToyGenerator):
    """VGAN's way: a mask over a background, with a penalty on the mask that is the generator's own."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = nn.Linear(self.latent_dim, FRAMES)

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        mask = self.mask(latents).sigmoid()
        batch = Batch(self(latents) * mask[:, None, :, None, None])
        return Fakes({name: view(batch, random) for name, view in views.items()}, 0.1 * mask.mean())


@zoo.register("toy-levels")
class LevelsGenerator(ToyGenerator):
    """TGANv2's way: what the discriminator sees at several levels is painted so, and not looked at afterwards."""

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        videos = self(latents)
        fine = videos[::2, :, int(torch.randint(2, (), generator=random)) :: 2]
        return Fakes({name: Batch((F.avg_pool3d(videos, (1, 2, 2)), fine)) for name in views})


@zoo.register("toy-levels")
class LevelsDiscriminator(Discriminator):
    """Scores two levels, each with a network of its own; all scores along the batch."""

    view = Levels(2)

    def __init__(self) -> None:
        super().__init__()
        self.networks = nn.ModuleList(nn.Sequential(nn.Conv3d(3, 2, 2), nn.Softplus(), nn.Flatten()) for _ in range(2))

    def forward(self, videos: tuple[Tensor, ...]) -> Tensor:
        return torch.cat([network(level).mean(1) for network, level in zip(self.networks, videos, strict=True)])


@zoo.register("toy-projection")
class ProjectionDiscriminator(Discriminator):
    """DVD-GAN's way: reads the classes of real and generated clips alike; with few frames it sees as many."""

    def __init__(self, num_frames: int = FRAMES) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.features = nn.Sequential(nn.Conv3d(3, 4, (1, 4, 4), 4), nn.Softplus())
        self.out, self.embed = nn.Linear(4, 1), nn.Embedding(CLASSES, 4)

    def score(self, batch: Batch) -> tuple[Tensor, None]:
        features = self.features(batch.video).mean((2, 3, 4))
        return self.out(features).squeeze(1) + (features * self.embed(batch.labels)).sum(1), None


@zoo.register("toy-stages")
class StagesGenerator(VideoGenerator):
    """SSW-GAN's way: a frozen stage paints what another enlarges, and is held against."""

    def __init__(self) -> None:
        super().__init__()
        self.image_size, self.num_frames, self.latent_dim = SIZE, FRAMES, 5
        self.first = ToyGenerator(SIZE // 2).requires_grad_(False)
        self.enlarge = nn.Conv3d(3, 3, 3, padding=1)

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        return self.first.sample_latents(n, generator=generator)

    def forward(self, latents: Tensor) -> Tensor:
        return self.enlarge(F.interpolate(self.first(latents), scale_factor=(1, 2, 2))).tanh()

    def generate(self, latents: Tensor, views: Mapping[str, View], random: torch.Generator) -> Fakes:
        batch = Batch(self(latents), context=self.first(latents))
        return Fakes({name: view(batch, random) for name, view in views.items()})

    def match_real(self, real: Batch, random: torch.Generator) -> Batch:
        return real._replace(context=F.avg_pool3d(real.video, (1, 2, 2)))


@zoo.register("toy-matching")
class MatchingDiscriminator(Discriminator):
    """Whether clips, made smaller, are what they were made from."""

    view = Pair()

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(6, 4, 3), nn.Softplus(), nn.Flatten(), nn.LazyLinear(1))
        self.layers(torch.zeros(1, 6, FRAMES, SIZE // 2, SIZE // 2))

    def score(self, batch: Batch) -> tuple[Tensor, None]:
        small = F.avg_pool3d(batch.video, (1, 2, 2))
        return self.layers(torch.cat([small, batch.context], dim=1)).squeeze(1), None


@zoo.register("toy-growing")
class GrowingGenerator(ToyGenerator):
    """ProVGAN's way: half the pixels at first, then all, with a moment of both; real clips are made to match."""

    def __init__(self) -> None:
        super().__init__()
        self.finer = nn.Linear(self.latent_dim, 3 * FRAMES * SIZE**2)
        self.share = 0.0

    def set_step(self, step: int) -> None:
        self.share = min(1.0, step / 2)

    def forward(self, latents: Tensor) -> Tensor:
        coarse = F.interpolate(F.avg_pool3d(super().forward(latents), (1, 2, 2)), scale_factor=(1, 2, 2))
        return coarse + self.share * self.finer(latents).view_as(coarse)

    def match_real(self, real: Batch, random: torch.Generator) -> Batch:
        coarse = F.interpolate(F.avg_pool3d(real.video, (1, 2, 2)), scale_factor=(1, 2, 2))
        return real._replace(videos=torch.lerp(coarse, real.video, self.share))


def _stack(**options: object) -> NetworkConfig:
    smooth = {"kinds": ("3d", "2d"), "image_size": SIZE, "num_frames": FRAMES, "base_channels": 2, "init": "xavier"}
    return NetworkConfig("stack", smooth | options)


def _recipe(**values: object) -> Recipe:
    rates = {"generator_rate": 1e-2, "discriminator_rate": 1e-2, "optimizer": "adam", "batch_size": 4, "svc_every": 0}
    return Recipe(**{**rates, "average": 0.9, "loss": "non-saturating", **values})


def configs() -> dict[str, VideoGANConfig]:
    """Name → configuration."""
    toy, projection = NetworkConfig("toy", {"num_categories": CLASSES}), NetworkConfig("toy-projection")
    parts = {
        "vgan": (NetworkConfig("toy-masked"), {"video": _stack()}, _recipe(game="tgan")),
        "vgan in turns": (NetworkConfig("toy-masked"), {"video": _stack()}, _recipe(game="mocogan")),
        "tganv2": (
            NetworkConfig("toy-levels"),
            {"levels": NetworkConfig("toy-levels")},
            _recipe(game="tganv2", r1=0.5),
        ),
        "dvd-gan": (
            toy,
            {"spatial": NetworkConfig("toy-projection", {"num_frames": 2}), "temporal": projection},
            _recipe(game="dvd-gan", loss="hinge"),
        ),
        "ssw-gan": (
            NetworkConfig("toy-stages"),
            {
                "matching": NetworkConfig("toy-matching"),
                "video": _stack(),
                "image": _stack(kinds=("2d",), num_frames=1),
            },
            _recipe(game="dvd-gan", loss="hinge"),
        ),
        "provgan": (
            NetworkConfig("toy-growing"),
            {"video": _stack()},
            _recipe(game="tgan", loss="wasserstein", gradient_penalty=10.0),
        ),
        "two critics, one batch": (
            NetworkConfig("toy"),
            {"video": _stack(), "image": _stack(kinds=("2d", "2d"), num_frames=1)},
            _recipe(game="tgan", loss="wasserstein", svc_every=1),
        ),
    }
    return {name: VideoGANConfig(name, "lite", *three) for name, three in parts.items()}
