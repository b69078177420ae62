"""DVD-GAN's discriminators: one looks at a few sharp frames, the other at a whole clip with a quarter of the pixels.

Source: Clark et al. 2019, "Adversarial Video Generation on Complex Datasets", section 3; the blocks, Brock et al. 2019
(BigGAN); how classes come in, Miyato & Koyama 2018, "cGANs with Projection Discriminator"; MODELS §8.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, relu

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.batch import Batch
from ldvd_lib.blocks import DownBlock, SelfAttention, check_video, initialize_, spectral_
from ldvd_lib.discriminators.base import Discriminator


class DVDGANDiscriminator(Discriminator):
    """Either of DVD-GAN's discriminators: residual blocks, and the sum of what each frame scores.

    The spatial one, D_S, is built for a few frames (which it then sees, drawn by chance), and its blocks look at every
    frame alone. The temporal one, D_T, has ``pooling=2`` and ``temporal_blocks=2``: it averages over 2×2 pixels, and
    the kernels of its first two blocks reach over time, too, which they halve. All blocks but the last halve space.

    What is left of a frame is summed over space, h; its score is ⟨h, w⟩ + b + ⟨h, e(y)⟩, with a learnt vector e(y) for
    each class y: clips, real and generated alike, are judged as what they should be ("projection").

    Args:
        image_size: height and width of the videos in pixels.
        num_frames: frames that it sees.
        channels: of each block, at least two.
        num_categories: classes that it is told; 0 for none. (It tells none apart: that is what the attribute of this
            name is about, which stays 0.)
        pooling: it sees the means of so many pixels by as many.
        temporal_blocks: how many blocks reach over time, from the first on.
        in_channels: colour channels.
        attention: behind the block that ends at so many pixels stands self-attention, frame by frame; 0: nowhere.
        spectral: spectral normalisation of all layers.
        init: a scheme of `ldvd_lib.blocks.initialize_`.

    Raises:
        ValueError: if sizes do not fit together.

    Source: MODELS §8. How many channels there are in which block, it does not say.
    """

    def __init__(
        self,
        image_size: int = 64,
        num_frames: int = 8,
        channels: tuple[int, ...] = (128, 256, 512, 1024, 1024),
        *,
        num_categories: int = 0,
        pooling: int = 1,
        temporal_blocks: int = 0,
        in_channels: int = 3,
        attention: int = 0,
        spectral: bool = True,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        whole_number("pooling", pooling, least=1)
        last = whole_number("the number of channels", len(channels), least=2) - 1
        whole_number("temporal_blocks", temporal_blocks, least=0, most=len(channels))
        if image_size % (pooling * 2**last):
            raise ValueError(
                f"image_size is {image_size}, but {last} of {len(channels)} blocks halve what a pooling of {pooling} "
                f"leaves: use a multiple of {pooling * 2**last}, or fewer channels"
            )
        sizes = [image_size // pooling // 2 ** min(number + 1, last) for number in range(last + 1)]
        if attention not in (0, *sizes):
            raise ValueError(f"attention is {attention}, but blocks end at {sizes} pixels: choose one of them, or 0")
        self.image_size, self.num_frames, self.in_channels, self.pooling = image_size, num_frames, in_channels, pooling
        widths = [in_channels, *channels]
        self.blocks = nn.ModuleList(
            DownBlock(
                widths[number],
                widths[number + 1],
                first=number == 0,
                hidden_channels=widths[number + 1],
                over_time=number < temporal_blocks,
                halves=(number < temporal_blocks, number < last),
            )
            for number in range(last + 1)
        )
        self.attention = SelfAttention(channels[sizes.index(attention)]) if attention else None
        self._attention_after = sizes.index(attention) if attention else None
        self.head = nn.Linear(channels[-1], 1)
        self.embed = nn.Embedding(num_categories, channels[-1]) if num_categories else None
        initialize_(self, init)
        if spectral:
            spectral_(self)
        self.blocks.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch does not declare it

    def features(self, videos: Tensor) -> Tensor:
        """Videos ``(N, C, T, H, W)`` in [-1, 1] → of each frame that is left the sums over space, ``(N, T', D)``."""
        check_video(
            videos, channels=self.in_channels, num_frames=None, image_size=self.image_size, who=type(self).__name__
        )
        x = videos if self.pooling == 1 else avg_pool3d(videos, (1, self.pooling, self.pooling))
        x = x.contiguous(memory_format=torch.channels_last_3d)
        for number, block in enumerate(self.blocks):
            x = block(x)
            if self.attention is not None and number == self._attention_after:
                frames = x.transpose(1, 2)
                x = self.attention(frames.flatten(0, 1)).view_as(frames).transpose(1, 2)
        return relu(x).sum((3, 4)).transpose(1, 2)

    def frame_scores(self, videos: Tensor, labels: Tensor | None = None) -> Tensor:
        """What each frame that is left adds to a score: as `forward` → ``(N, T')``, unbounded."""
        features = self.features(videos)
        scores = self.head(features).squeeze(2)
        if self.embed is None:
            return scores
        if labels is None:
            raise ValueError(
                "this discriminator judges clips as what they should be, and these have no labels: give the labels of "
                "real clips, and a generator whose latents have a part 'category'; or build it with num_categories=0"
            )
        return scores + (features * self.embed(labels).unsqueeze(1)).sum(2)

    def forward(self, videos: Tensor, labels: Tensor | None = None) -> Tensor:
        """Scores.

        Args:
            videos: ``(N, C, T, H, W)`` in [-1, 1].
            labels: their classes, ``(N,)`` int64; without effect if it is told none.

        Returns:
            ``(N,)``, unbounded.

        Raises:
            ValueError: for videos of another size, and for missing labels.
        """
        return self.frame_scores(videos, labels).sum(1)

    def score(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """As `Discriminator.score`, with the batch's labels."""
        return self(batch.video, batch.labels), None
