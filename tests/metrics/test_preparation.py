"""Each protocol's preparation against a literal transcription of it in NumPy, on drawn and on filmed frames."""

import math

import numpy as np
import pytest
import torch

from ldvd_lib.data import decode
from ldvd_lib.metrics.preparation import for_c3d, for_i3d, for_small_c3d, read_mean, resize


def cubic(distance: float, a: float = -0.75) -> float:
    """Keys' kernel, with OpenCV's a."""
    x = abs(distance)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def linear(distance: float) -> float:
    return max(0.0, 1 - abs(distance))


def weights_of(length: int, size: int, kernel) -> np.ndarray:
    """``(size, length)``: what each new pixel takes from each old one; beyond the border its last pixel is repeated."""
    matrix = np.zeros((size, length))
    for new in range(size):
        centre = (new + 0.5) * length / size - 0.5
        for old in range(math.floor(centre) - 1, math.floor(centre) + 3):
            matrix[new, min(max(old, 0), length - 1)] += kernel(centre - old)
    return matrix


def resize_frame(frame: np.ndarray, size: int, kernel) -> np.ndarray:
    """``(H, W, 3)`` float64 → ``(size, size, 3)``."""
    rows, columns = (weights_of(length, size, kernel) for length in frame.shape[:2])
    return np.einsum("yh,xw,hwc->yxc", rows, columns, frame, optimize=True)


def tgan_in_numpy(video: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """``calc_inception.py``, step by step: ``(3, 16, H, W)`` in [-1, 1] → ``(3, 16, 112, 112)``."""
    result = np.empty((3, 16, 112, 112))
    for time in range(16):
        frame = video[:, time].astype(np.float64).transpose(1, 2, 0) * 128 + 128
        frame = resize_frame(frame, 128, cubic)
        for channel, colour in enumerate((2, 1, 0)):  # blue, green, red
            plane = frame[:, :, colour] - mean[channel, time, :, 21:149]
            result[channel, time] = plane[8:120, 8:120]
    return result


@pytest.fixture(scope="module", params=["drawn", "filmed"])
def video(request: pytest.FixtureRequest) -> np.ndarray:
    """Sixteen frames of 64 px, ``(3, 16, 64, 64)`` float32 in [-1, 1]."""
    root = request.getfixturevalue("tiny_actions" if request.param == "drawn" else "ucf101_mini")
    path = sorted((root / "UCF-101").rglob("*.avi"))[0]
    frames = decode.decode(path, image_size=64, max_frames=16)
    assert frames.std() > 10
    return (frames / 127.5 - 1).astype(np.float32).transpose(3, 0, 1, 2)


def test_c3d_sees_what_tgan_shows_it(video: np.ndarray) -> None:
    mean = np.random.default_rng(0).uniform(80, 120, (3, 16, 128, 171)).astype(np.float32)
    prepared = for_c3d(torch.from_numpy(mean))(torch.from_numpy(video)[None])
    assert prepared.shape == (1, 3, 16, 112, 112)
    # In a scale of 256 grey levels: float32 against float64.
    np.testing.assert_allclose(prepared[0], tgan_in_numpy(video, mean), atol=2e-3)


def test_i3d_sees_bilinear_frames(video: np.ndarray) -> None:
    prepared = for_i3d(torch.from_numpy(video[:, :2])[None])[0]
    for time in range(2):
        frame = resize_frame(video[:, time].transpose(1, 2, 0).astype(np.float64), 224, linear)
        np.testing.assert_allclose(prepared[:, time].permute(1, 2, 0), frame, atol=1e-5)
    assert prepared.abs().max() <= 1


@pytest.mark.parametrize(("size", "mode"), [(128, "bicubic"), (50, "bicubic"), (224, "bilinear")])
def test_one_colour_stays_as_it_is(size: int, mode: str) -> None:
    videos = torch.full((2, 3, 4, 64, 64), 0.3)
    assert resize(videos, size, mode).shape == (2, 3, 4, size, size)
    torch.testing.assert_close(resize(videos, size, mode), torch.full((2, 3, 4, size, size), 0.3))


def test_frames_do_not_mix() -> None:
    videos = torch.rand(2, 3, 4, 20, 20)
    together = resize(videos, 32, "bicubic")
    alone = resize(videos[1:, :, 2:3], 32, "bicubic")
    assert torch.equal(together[1:, :, 2:3], alone)


def test_the_small_network_sees_its_own_size_untouched() -> None:
    videos = torch.rand(1, 3, 16, 32, 32)
    assert for_small_c3d(32)(videos) is videos
    assert for_small_c3d(32)(torch.rand(1, 3, 16, 64, 64)).shape == (1, 3, 16, 32, 32)


PREPARATIONS = {
    "c3d": for_c3d(torch.full((3, 16, 128, 171), 100.0)),
    "i3d": for_i3d,
    "small": for_small_c3d(32),
    "small, resized": for_small_c3d(24),
}


@pytest.mark.parametrize("prepare", PREPARATIONS.values(), ids=PREPARATIONS.keys())
def test_videos_of_every_precision_are_prepared_in_single_precision(prepare) -> None:
    videos = torch.rand(1, 3, 16, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(prepare(videos.double()), prepare(videos))
    for dtype in (torch.float16, torch.bfloat16):
        assert torch.equal(prepare(videos.to(dtype)), prepare(videos.to(dtype).float()))
        assert prepare(videos.to(dtype)).dtype == torch.float32


@pytest.mark.parametrize("prepare", PREPARATIONS.values(), ids=PREPARATIONS.keys())
@pytest.mark.parametrize(
    ("videos", "message"),
    [
        (torch.zeros(1, 3, 16, 32, 32, dtype=torch.uint8), "got torch.uint8; `ldvd_lib.video.to_float`"),
        (torch.zeros(1, 3, 16, 32, 32, dtype=torch.complex64), "got torch.complex64"),
        (torch.zeros(3, 16, 32, 32), r"\(N, 3, T, H, W\), got \(3, 16, 32, 32\)"),
        (torch.zeros(1, 16, 32, 32, 3), r"\(N, 3, T, H, W\), got \(1, 16, 32, 32, 3\)"),
    ],
)
def test_what_are_no_videos_is_refused(prepare, videos: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(videos)


@pytest.mark.parametrize("shape", [(3, 16, 128, 171), (1, 3, 16, 128, 171)])
def test_the_mean_is_read(tmp_path, shape: tuple[int, ...]) -> None:
    mean = np.random.default_rng(0).uniform(0, 255, shape)
    np.savez(tmp_path / "mean2.npz", mean=mean)
    loaded = read_mean(tmp_path / "mean2.npz")
    assert loaded.dtype == torch.float32
    np.testing.assert_allclose(loaded, mean.reshape(3, 16, 128, 171), rtol=1e-6)


def test_another_mean_is_refused(tmp_path) -> None:
    path = tmp_path / "mean2.npz"
    with pytest.raises(FileNotFoundError, match="Sports-1M"):
        read_mean(path)
    for arrays in ({"mean": np.zeros((3, 16, 112, 112))}, {"average": np.zeros((3, 16, 128, 171))}):
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=r"'mean' of shape \(3, 16, 128, 171\) was expected"):
            read_mean(path)
    np.savez(path, mean=np.zeros((3, 16, 128, 171), complex))
    with pytest.raises(ValueError, match="was expected"):
        read_mean(path)
    np.savez(path, mean=np.full((3, 16, 128, 171), np.nan))
    with pytest.raises(ValueError, match="not finite"):
        read_mean(path)
