"""Part 3: how fast, how much memory, and how near to what the card can do at all."""

import functools
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gpu_parts.correctness import operator
from gpu_parts.report import Report
from gpu_parts.setting import FAMILIES, PRECISIONS, Setting, Steps, build, milliseconds, noise, products, wait
from ldvd_lib import anatomy
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import GENERATOR, VideoGAN
from ldvd_lib.hessian import lanczos
from ldvd_lib.lipschitz import clip_singular_values_
from ldvd_lib.recipe import GAMES

GIB = 2**30
SMALL_CARD = 12  # GB: what the largest model should fit into


def run(setting: Setting, report: Report) -> None:
    """What is timed as it is; a process of its own does `run_changed`."""
    for precision in PRECISIONS:
        report.item(f"peak, {precision}", lambda precision=precision: {"rows": [peak(setting, precision)]}, seconds=10)
    report.item("bandwidth", lambda: bandwidth(setting), seconds=10)
    for precision in ("tf32", "bfloat16", "float32"):
        for name in FAMILIES:
            report.item(f"step of {name}, {precision}", functools.partial(step, setting, name, precision), seconds=30)
    report.item("SVC", lambda: {"rows": [clipping(setting, name) for name in ("tgan-f", "tgan", "tgan-f-128")]})
    for precision in ("float32", "tf32"):
        report.item(f"Hessian, {precision}", lambda precision=precision: {"rows": hessian(setting, precision)})
    report.item("sampler", lambda: sampler(setting))
    report.item("waiting for the device", lambda: waits(setting))
    report.item("memory layout", lambda: {"rows": layouts(setting)})
    report.item("tgan-f-128-all", lambda: largest(setting))


def run_changed(setting: Setting, report: Report) -> None:
    """Steps with cudnn.benchmark, in CUDA graphs and compiled: in another process, since failures here can break it."""
    for way, change, precision in (
        ("cudnn.benchmark", benchmarked, "bfloat16"),
        ("CUDA graph", graphed, "bfloat16"),
        ("compiled", compiled, "bfloat16"),
        ("CUDA graph", graphed, "tf32"),
    ):
        for name in FAMILIES:
            work = functools.partial(change, setting, name, precision)
            report.item(
                f"step of {name}, {precision}, {way}", work, seconds=75, share=1.0 if change is compiled else 0.5
            )


# Steps ----------------------------------------------------------------------------------------------------------------


def step(setting: Setting, name: str, precision: str, how: str = "eager", **recipe: Any) -> dict[str, Any]:
    """One family's step as it is."""
    steps = make(setting, name, precision, **recipe)
    return {"rows": [timed(setting, name, precision, how, steps, steps)]}


def make(setting: Setting, name: str, precision: str, **recipe: Any) -> Steps:
    """The steps of a family; on a GPU the memory's high-water mark begins anew."""
    if setting.cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(setting.device)
    gan = build(name, setting.preset, batch_size=setting.batch_size, precision=PRECISIONS[precision][1], **recipe)
    return Steps(gan, setting.device, precision)


def timed(
    setting: Setting, name: str, precision: str, how: str, steps: Steps, work: Callable[[], object], **more: Any
) -> dict[str, Any]:
    """The row of a kind of step."""
    taken = milliseconds(work, setting.device, repeats=setting.repeats)
    rate = flops(steps.gan) / taken / 1e9  # of milliseconds → TFLOP/s
    top = {row["precision"]: row["TFLOP/s"] for row in _rows(setting, "bytes of a matrix")}.get(precision)
    return {
        "step of": name,
        "precision": precision,
        "how": how,
        "batch": steps.clips.size,
        "ms a step": round(taken, 3),
        "clips/s": round(steps.clips.size / taken * 1e3, 1),
        "TFLOP/s": round(rate, 4),
        "of the peak": f"{rate / top:.1%}" if top else "",
        "peak memory, GB": memory(setting),
        "difference": more.get("difference", ""),
    }


def flops(gan: VideoGAN) -> float:
    """Arithmetic of a step: multiply-adds of convolutions, linear and recurrent layers in a forward pass, twice.

    A pass with gradients counts three times: forward, by the input, by the weights. A discriminator sees real and
    generated clips. In MoCoGAN's game clips are painted once more for each discriminator, without gradients, and of
    single frames only these; and when the generator moves, a discriminator's weights need no gradients.
    """
    cost = {name: anatomy.dissect(network).multiply_adds for name, network in gan.networks.items()}
    paints = cost.pop(GENERATOR)
    if GAMES[gan.recipe.game].batches == "step":
        passes = 3.0 * paints + 6 * sum(cost.values())
    else:
        seen = {name: gan.networks[name].num_frames / gan.num_frames for name in cost}
        passes = sum((1 + 3) * seen[name] * paints + (6 + 2) * cost[name] for name in cost)
    return 2.0 * passes * gan.recipe.batch_size


def memory(setting: Setting) -> float | str:
    """The most that tensors took, in GB of 10⁹ bytes."""
    return round(torch.cuda.max_memory_allocated(setting.device) / 1e9, 3) if setting.cuda else ""


def benchmarked(setting: Setting, name: str, precision: str) -> dict[str, Any]:
    """With cuDNN trying its algorithms out first."""
    torch.backends.cudnn.benchmark = True
    try:
        return step(setting, name, precision, "cudnn.benchmark")
    finally:
        torch.backends.cudnn.benchmark = False


def compiled(setting: Setting, name: str, precision: str) -> dict[str, Any]:
    """With networks through torch.compile, as a recipe's ``compile=True`` has it; in miniature without its compiler."""
    torch._dynamo.reset()
    steps = make(setting, name, precision, compile=True)
    backend = "aot_eager" if setting.lite else "inductor"
    for network in (steps.gan.generator, *steps.gan.discriminators.values()):
        network.compile(backend=backend)
    return {"rows": [timed(setting, name, precision, f"compiled, {backend}", steps, steps)]}


def graphed(setting: Setting, name: str, precision: str) -> dict[str, Any]:
    """In a CUDA graph: a captured step is held against the same step of a twin that is not captured."""
    plain, steps = make(setting, name, precision), make(setting, name, precision)
    replay = capture(setting, steps)
    for _ in range(3 if setting.cuda else 0):  # as often as capturing warmed up
        plain()
    before = _weights(steps.gan)
    distance = ((before - _weights(plain.gan)).norm() / before.norm()).item()
    for twin in (plain, steps):
        twin.random.manual_seed(7)
    plain()
    replay()
    moved, expected = _weights(steps.gan) - before, _weights(plain.gan) - before
    error = ((moved - expected).norm() / expected.norm()).item()
    difference = f"of one step {error:.2g}, before it {distance:.2g}"
    how = "CUDA graph" if setting.cuda else "no graph on a CPU"
    row = timed(setting, name, precision, how, steps, replay, difference=difference)
    return {"rows": [{**row, "peak memory, GB": ""}]}  # it would be that of both twins


def capture(setting: Setting, steps: Steps) -> Callable[[], object]:
    """A step of all players as a CUDA graph, after three that warm up; on a CPU the step itself.

    Source: "CUDA semantics, Whole-network capture" in PyTorch's notes.
    """
    if not setting.cuda:
        return steps
    for optimizer in steps.players.optimizers.values():
        for group in optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = True
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            steps()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(steps.random)
    with torch.cuda.graph(graph):
        steps()
    return graph.replay


def _weights(gan: VideoGAN) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in gan.parameters()]).double()


# What the card can do -------------------------------------------------------------------------------------------------


def peak(setting: Setting, precision: str) -> dict[str, Any]:
    """What a product of two large matrices reaches."""
    size = 512 if setting.lite else 8192
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    one, other = (torch.randn(size, size, device=setting.device).to(dtype) for _ in range(2))
    with products(precision):
        taken = milliseconds(lambda: one @ other, setting.device, repeats=setting.repeats)
    return {
        "precision": precision,
        "matrix": f"{size}×{size}",
        "bytes of a matrix": one.nbytes,
        "ms": round(taken, 3),
        "TFLOP/s": round(2 * size**3 / taken / 1e9, 4),
    }


def bandwidth(setting: Setting) -> dict[str, Any]:
    """What copying within the device's memory reaches: every byte is read and written."""
    source = torch.empty(
        GIB if setting.cuda and not setting.lite else GIB // 32, dtype=torch.uint8, device=setting.device
    )
    target = torch.empty_like(source)
    taken = milliseconds(lambda: target.copy_(source), setting.device, repeats=setting.repeats)
    return {"copied bytes": source.nbytes, "ms": round(taken, 3), "GB/s": round(2 * source.nbytes / taken / 1e6, 1)}


def _rows(setting: Setting, column: str) -> list[dict[str, Any]]:
    entries = Report(setting.out, "3", 0).entries()
    return [row for entry in entries for row in entry.get("rows") or [] if column in row]


# Clipping, curvature, data --------------------------------------------------------------------------------------------


def clipping(setting: Setting, name: str) -> dict[str, Any]:
    """Singular value clipping of a whole discriminator, which has grown by a tenth since the last time."""
    network = build(name, setting.preset, batch_size=2).discriminators["video"].to(setting.device)

    @torch.no_grad()
    def grow_and_clip() -> None:
        for weight in network.parameters():
            weight.mul_(1.1)
        clip_singular_values_(network)

    with products("float32"):
        taken = milliseconds(grow_and_clip, setting.device, repeats=setting.repeats)
    return {"what": f"SVC of {name}", "precision": "float32", "ms": round(taken, 3), "about": ""}


def hessian(setting: Setting, precision: str) -> list[dict[str, Any]]:
    """A product, and the ten leading eigenvalues, of TGAN-F's discriminator at a full batch."""
    with products(precision):
        matrix = operator("tgan-f", setting.preset, setting.batch_size, setting.device)
        vector = matrix.gradient / matrix.gradient.norm()
        product = milliseconds(lambda: matrix @ vector, setting.device, repeats=setting.repeats)
        wait(setting.device)
        start = time.perf_counter()
        pairs = lanczos(matrix, 10, tolerance=1e-2, max_products=24 if setting.lite else 60)
        wait(setting.device)
        taken = (time.perf_counter() - start) * 1e3
    about = f"{pairs.products} products, {'' if pairs.converged else 'not '}converged, largest {pairs.largest:.4g}"
    return [
        {
            "what": "Hv of tgan-f",
            "precision": precision,
            "ms": round(product, 3),
            "about": f"batch {setting.batch_size}",
        },
        {"what": "ten eigenvalues of tgan-f", "precision": precision, "ms": round(taken, 3), "about": about},
    ]


def _store(setting: Setting, image_size: int) -> ClipStore:
    clips = 20 if setting.lite else 300
    random = np.random.default_rng(0)
    return ClipStore.from_clips(random.integers(0, 256, (clips, 40, image_size, image_size, 3), dtype=np.uint8))


def sampler(setting: Setting) -> dict[str, Any]:
    """A batch of random windows, from a store on the device and from one in the computer's memory."""
    gan = build("tgan-f", setting.preset, batch_size=setting.batch_size)
    store, rows = _store(setting, gan.image_size), []
    for resident in (True, False):
        source = WindowSampler(store, batch_size=setting.batch_size, device=setting.device, resident=resident)
        taken = milliseconds(source.next_batch, setting.device, repeats=setting.repeats)
        where = "on the device" if resident else "in the computer's memory"
        rows.append({"batch from a store": where, "bytes": store.frames.nbytes, "ms": round(taken, 3)})
    return {"rows": rows}


def waits(setting: Setting) -> dict[str, Any]:
    """How often a step waits for the device, and where: PyTorch warns of it. It does not see every way of waiting."""
    rows = []
    for name in ("tgan-f", "mocogan"):
        steps = make(setting, name, "float32")
        store = _store(setting, steps.gan.image_size)
        source = WindowSampler(store, batch_size=setting.batch_size, device=setting.device, resident=True)
        steps()
        steps.players.finish(1)
        for what, work in {
            "a batch": source.next_batch,
            "a step": steps,
            "clipping": lambda steps=steps: [clip_singular_values_(d) for d in steps.gan.discriminators.values()],
            "the average": lambda steps=steps: steps.players.average.update_parameters(steps.gan.generator),
        }.items():
            counts = _warnings(setting, work)
            places = ", ".join(f"{place} ×{count}" for place, count in counts.most_common(6))
            rows.append({"model": name, "during": what, "waits": counts.total(), "places": places})
    return {"rows": rows} | ({} if setting.cuda else {"note": "only a GPU is waited for: nothing is counted on a CPU"})


def _warnings(setting: Setting, work: Callable[[], object]) -> Counter[str]:
    wait(setting.device)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if setting.cuda:
            torch.cuda.set_sync_debug_mode("warn")
        try:
            work()
        finally:
            if setting.cuda:
                torch.cuda.set_sync_debug_mode("default")
    return Counter(f"{Path(w.filename).name}:{w.lineno}" for w in caught if "called a synchronizing" in str(w.message))


def layouts(setting: Setting) -> list[dict[str, Any]]:
    """A discriminator's layers forward and backward, with the channels last in memory, as in the library, or not."""
    rows = []
    for name in ("tgan-f", "tgan"):
        gan = build(name, setting.preset, batch_size=setting.batch_size).to(setting.device)
        layers = nn.Sequential(*gan.discriminators["video"].layers)
        clips = noise(gan, setting.batch_size).video.to(setting.device)
        for precision in ("tf32", "bfloat16"):
            for layout in (torch.channels_last_3d, torch.contiguous_format):
                layers.to(memory_format=layout)
                seen = clips.contiguous(memory_format=layout).requires_grad_()

                def passes(layers: nn.Module = layers, seen: Tensor = seen, precision: str = precision) -> None:
                    enabled = precision == "bfloat16"
                    with torch.autocast(setting.device.type, dtype=torch.bfloat16, enabled=enabled):
                        out = layers(seen)
                    out.float().sum().backward()

                with products(precision):
                    taken = milliseconds(passes, setting.device, repeats=setting.repeats)
                told = str(layout).removeprefix("torch.")
                rows.append({"layers of": name, "precision": precision, "layout": told, "ms": round(taken, 3)})
    return rows


def largest(setting: Setting) -> dict[str, Any]:
    """Whether the largest model trains on a small card."""
    rows = []
    for precision in ("tf32", "bfloat16"):
        steps = make(setting, "tgan-f-128-all", precision)
        row = timed(setting, "tgan-f-128-all", precision, "eager", steps, steps)
        used = row["peak memory, GB"]
        fits = "" if used == "" else "yes" if used <= SMALL_CARD else "no"
        rows.append({**row, f"within {SMALL_CARD} GB": fits})
        del steps
    return {"rows": rows, "note": f"peak of tensors; CUDA itself takes about half a GB more of the {SMALL_CARD}"}
