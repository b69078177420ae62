"""Part 2: does the device compute what the CPU computes? Same weights, same clips, same latents on both."""

import copy
import functools
from typing import Any

import torch
from torch import Tensor

from gpu_parts.report import Report
from gpu_parts.setting import PRECISIONS, Setting, Steps, build, noise, products
from ldvd_lib.hessian import HessianOperator, lanczos, objective_of
from ldvd_lib.lipschitz import clip_singular_values_, singular_values
from ldvd_lib.metrics import open_judge
from ldvd_lib.video import to_float, to_uint8

MODELS = ("tgan-f", "tgan-tsm", "mocogan-f")
CPU = torch.device("cpu")
# The largest relative error, in the 2-norm, taken for rounding. Singular values must be clipped exactly whatever
# the precision: that is what clipping is for. A gradient in bfloat16 may be off by a third of its length, since another
# batch of clips changes it by about the whole of that.
TOLERANCES = {
    "losses": {"float32": 1e-3, "tf32": 2e-2, "bfloat16": 1e-1},
    "gradient": {"float32": 5e-3, "tf32": 5e-2, "bfloat16": 0.3},
    "clipped weights": dict.fromkeys(PRECISIONS, 1e-4),
    "largest norm after clipping": dict.fromkeys(PRECISIONS, 1e-5),
    "Hv": {"float32": 5e-3, "tf32": 5e-2},
    "ten eigenvalues": {"float32": 1e-2, "tf32": 5e-2},
    "features of the judge": {"float32": 1e-3, "tf32": 1e-2},
}
WITHIN, BEYOND = "within", "BEYOND"


def compare(kind: str, precision: str, value: Tensor, reference: Tensor, *, of: str) -> dict[str, Any]:
    """A row: how far a tensor is from what it should be, relative to that, and whether this is only rounding."""
    value, reference = value.detach().double().cpu().flatten(), reference.detach().double().cpu().flatten()
    difference, tiny = value - reference, 1e-300
    error = (difference.norm() / reference.norm().clamp(min=tiny)).item()
    tolerance = TOLERANCES[kind][precision]
    return {
        "quantity": f"{kind} of {of}",
        "precision": precision,
        "value (2-norm)": value.norm().item(),
        "CPU (2-norm)": reference.norm().item(),
        "error, maximum": (difference.abs().max() / reference.abs().max().clamp(min=tiny)).item(),
        "error, 2-norm": error,
        "tolerance": tolerance,
        "verdict": WITHIN if error <= tolerance else BEYOND,
    }


def one_step(name: str, setting: Setting, device: torch.device, precision: str) -> dict[str, Tensor]:
    """What a step reports, and the gradient of every player, who do not move."""
    batch_size = 4 if setting.lite else 8
    gan = build(name, setting.preset, batch_size=batch_size, precision=PRECISIONS[precision][1])
    steps = Steps(gan, device, precision, torch.Generator().manual_seed(0))  # of the CPU: the same numbers everywhere
    gradients: dict[str, Tensor] = {}

    def keep(player: str) -> None:
        parts = [p.grad if p.grad is not None else torch.zeros_like(p) for p in steps.players.parameters(player)]
        gradients[f"gradient of the {player}"] = torch.cat([part.detach().flatten().cpu() for part in parts])

    steps.players.move = keep  # type: ignore[method-assign]
    report = steps()
    return {"losses": torch.stack([value.float().cpu() for value in report.values()]), **gradients}


def steps_agree(name: str, setting: Setting, precision: str, reference: dict[str, Tensor]) -> dict[str, Any]:
    """Losses and gradients of one step."""
    values = one_step(name, setting, setting.device, precision)
    rows = []
    for what, value in values.items():
        of = name if what == "losses" else f"{name}, {what.removeprefix('gradient of the ')}"
        rows.append(compare(what.split()[0], precision, value, reference[what], of=of))
    return {"rows": rows}


def clipped(name: str, setting: Setting, device: torch.device, precision: str) -> torch.nn.Module:
    """A discriminator whose singular values were too large, clipped on a device."""
    network = build(name, setting.preset, batch_size=2).discriminators["video"]
    with torch.no_grad(), products(precision):
        for weight in network.parameters():
            weight.mul_(1.5)
        return clip_singular_values_(network.to(device))


def clipping_agrees(name: str, setting: Setting, precision: str) -> dict[str, Any]:
    """Weights after singular value clipping, and what is left of the norms, in float64 on the CPU."""
    ours, theirs = (clipped(name, setting, device, precision).cpu() for device in (setting.device, CPU))
    weights = [[p for p in network.parameters() if p.ndim >= 4] for network in (ours, theirs)]
    flat = [torch.cat([weight.flatten() for weight in those]) for those in weights]
    norms = [torch.stack([singular_values(weight)[0] for weight in those]).max() for those in weights]
    return {
        "rows": [
            compare("clipped weights", precision, *flat, of=name),
            compare("largest norm after clipping", precision, norms[0], norms[1].clamp(max=1), of=name),
        ]
    }


def operator(name: str, preset: str, batch_size: int, device: torch.device) -> HessianOperator:
    """The Hessian of a discriminator's loss, on the same clips on every device."""
    gan = build(name, preset, batch_size=batch_size).to(device)
    discriminator = list(gan.discriminators)[-1]  # of MoCoGAN's the one of whole clips
    objective = objective_of(gan, discriminator, noise(gan, batch_size).video.to(device))
    return HessianOperator(objective, objective.parameters)


def product(name: str, setting: Setting, device: torch.device, precision: str) -> Tensor:
    """The Hessian times a fixed vector."""
    with products(precision):
        hessian = operator(name, setting.preset, 2 if setting.lite else 4, device)
        vector = torch.randn(hessian.shape[0], generator=torch.Generator().manual_seed(2))
        return hessian @ (vector / vector.norm()).to(device)


def eigenvalues(setting: Setting, device: torch.device, precision: str) -> Tensor:
    """Of a network of `lite` size, which the CPU can do."""
    with products(precision):
        hessian = operator("tgan-f", "lite", 2 if setting.lite else 8, device)
        return lanczos(hessian, 10, tolerance=1e-3, max_products=24 if setting.lite else 80).values


def features(device: torch.device, precision: str) -> Tensor:
    """What the judge of the built-in actions makes of clips of noise."""
    judge = open_judge("actions")
    random = torch.Generator().manual_seed(3)
    clips = to_float(to_uint8(torch.rand(8, 3, 16, 32, 32, generator=random) * 2 - 1)).to(device)
    network = copy.deepcopy(judge.network).to(device)
    with torch.no_grad(), products(precision):
        return network.activations(judge.prepare(clips))[judge.protocol.layer]


def run(setting: Setting, report: Report) -> None:
    """All of part 2."""
    for name in MODELS:
        reference = functools.cache(lambda name=name: one_step(name, setting, CPU, "float32"))
        for precision in PRECISIONS:
            report.item(
                f"one step of {name}, {precision}",
                lambda name=name, precision=precision, reference=reference: steps_agree(
                    name, setting, precision, reference()
                ),
            )
    for name in ("tgan-f", "tgan"):
        for precision in ("float32", "tf32"):
            report.item(f"SVC of {name}, {precision}", functools.partial(clipping_agrees, name, setting, precision))

    def agree(kind: str, of: str, function: Any, precision: str, reference: Any) -> dict[str, Any]:
        return {"rows": [compare(kind, precision, function(setting.device, precision), reference(), of=of)]}

    wanted = {("Hv", name): functools.partial(product, name, setting) for name in MODELS}
    wanted |= {
        ("features of the judge", "actions"): features,
        ("ten eigenvalues", "tgan-f, lite"): functools.partial(eigenvalues, setting),
    }
    for (kind, of), function in wanted.items():
        reference = functools.cache(functools.partial(function, CPU, "float32"))
        for precision in ("float32", "tf32"):
            report.item(
                f"{kind} of {of}, {precision}", functools.partial(agree, kind, of, function, precision, reference)
            )


def trusted(entries: list[dict[str, Any]], name: str) -> list[str]:
    """The precisions in which all that was compared of a model, and of clipping, was within tolerance."""
    good = []
    for precision in PRECISIONS:
        model = [name] if name in MODELS else list(MODELS)  # of a model that was not compared, as all those that were
        steps = [row for row in _rows(entries, precision) if row["quantity"].startswith(("losses", "gradient"))]
        steps = [row for row in steps if row["quantity"].partition(" of ")[2].partition(",")[0] in model]
        # Clipping is the same arithmetic under autocast, which it does not heed, as it is in float32.
        tables = _rows(entries, "tf32" if precision == "tf32" else "float32")
        clipping = [row for row in tables if "clip" in row["quantity"]]
        if steps and clipping and all(row["verdict"] == WITHIN for row in steps + clipping):
            good.append(precision)
    return good


def _rows(entries: list[dict[str, Any]], precision: str) -> list[dict[str, Any]]:
    rows = [row for entry in entries if entry["part"] == "2" for row in entry.get("rows") or []]
    return [row for row in rows if row.get("precision") == precision]
