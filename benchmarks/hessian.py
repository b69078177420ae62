"""The ten leading eigenvalues of TGAN's discriminator: ours against other libraries, at equal accuracy.

Usage: python benchmarks/hessian.py [--sizes lite paper] [--seconds 40] [--threads 2] [--device cuda]
       (a minute or two for `lite`, about twenty for `paper` on one core)

The networks are new ones, the real clips are of the built-in data, the objective is the recipe's (Wasserstein) with
batch normalisation as in training. Each method gets the same weights and videos and is asked for the same: residuals
‖Hx − θx‖ of at most 1e-3 · |θ|.

    ours                  HessianOperator and lanczos
    ours + eigsh          the same products, SciPy's ARPACK instead of lanczos: what the eigensolver is worth
    curvlinops + eigsh    HessianLinearOperator, which differentiates forward over reverse. With PyTorch's batch
                          normalisation that is off by 1 % (the fault is PyTorch's; in float64 too, where double
                          backward agrees with finite differences to 1e-7), so it gets one written out in elementary
                          operations, with which it is right and no slower
    hessian-eigenthings   its lanczos. It takes a fixed number of steps: it is given as many as ours took, then a
                          quarter more until it reports that all have converged. Only the last attempt is counted
    PyHessian             power iteration with deflation, as documented (a value may change by 1e-3 at the end, 100
                          products for each), and asked for a change of 1e-7, about where residuals are 1e-3

Other libraries get the discriminator with batch normalisation that keeps no running statistics
(`torch.func.replace_all_batch_norm_modules_`): it then uses those of the batch in either mode, which is what training
does, and PyHessian, which switches to evaluation mode, cannot change the loss. None of them is needed to run this:
what is not installed says so. Each may take as many products as ours would in `--seconds`, at least twice as
many as ours needed and 2000 at most; where that is too little, the row shows where it stood.

Seconds are from the loss to the eigenvectors, after one untimed product. Products are calls of each library's own
Hessian-vector product. The residual is measured with the same operator for all, the worst of the ten; "found" is how
many of the ten true leading eigenvalues are among those returned, to 1e-3, each counted once. The true ones are ours at
a tolerance of 1e-6; with `--check` they are compared with SciPy's.
"""

import argparse
import contextlib
import copy
import importlib.metadata
import time
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor, nn

from ldvd_lib import zoo
from ldvd_lib.data import actions
from ldvd_lib.hessian import DiscriminatorObjective, HessianOperator, lanczos, objective_of
from ldvd_lib.video import to_float

BATCH = {"lite": 16, "paper": 2}
K = 10
TOLERANCE = 1e-3
MOST_PRODUCTS = 2000


def built_in_clips(number: int, image_size: int, num_frames: int) -> Tensor:
    """Clips of the built-in data, ``(number, 3, num_frames, image_size, image_size)`` in [-1, 1]."""
    clips = []
    for seed in range(number):
        class_name = actions.CLASSES[seed % len(actions.CLASSES)]
        frames = actions.render_clip(actions.Content.draw(seed), actions.Motion.draw(seed, class_name), num_frames)
        square = torch.from_numpy(frames[:, :, 40:280]).permute(0, 3, 1, 2)
        small = nn.functional.interpolate(square.float(), (image_size, image_size), mode="area")
        clips.append(to_float(small.round().to(torch.uint8)).transpose(0, 1))
    return torch.stack(clips)


class WrittenOutBatchNorm(nn.Module):
    """Batch normalisation by the batch's statistics, of elementary operations."""

    def __init__(self, original: nn.BatchNorm3d) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = original.weight, original.bias, original.eps

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, T, H, W)`` → the same shape."""
        variance, mean = torch.var_mean(x, (0, 2, 3, 4), correction=0, keepdim=True)
        weight, bias = (parameter.view(1, -1, 1, 1, 1) for parameter in (self.weight, self.bias))
        return (x - mean) * torch.rsqrt(variance + self.eps) * weight + bias


class Scores(nn.Module):
    """A discriminator as other libraries want their models: a function of one batch, the same in either mode."""

    def __init__(self, discriminator: nn.Module, *, written_out: bool = False) -> None:
        super().__init__()
        self.discriminator = torch.func.replace_all_batch_norm_modules_(copy.deepcopy(discriminator))
        if written_out:
            for parent in list(self.discriminator.modules()):
                for name, child in list(parent.named_children()):
                    if isinstance(child, nn.BatchNorm3d):
                        setattr(parent, name, WrittenOutBatchNorm(child))

    def forward(self, videos: Tensor) -> Tensor:
        """Real videos and behind them as many generated ones → all their scores; each half is a batch of its own."""
        return torch.cat([self.discriminator(half) for half in videos.chunk(2)])


class Criterion(nn.Module):
    """The loss of those scores; the labels that the libraries ask for are not looked at."""

    reduction = "mean"

    def __init__(self, loss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        """A scalar."""
        return self.loss.discriminator(*scores.chunk(2))


class Problem:
    """A loss, in our form and in that of the others, and how many products may be spent on it."""

    def __init__(self, objective: DiscriminatorObjective, seconds: float) -> None:
        self.objective, self.seconds = objective, seconds
        self.model, self.criterion = Scores(objective.discriminator), Criterion(objective.objective.loss)
        self.videos = torch.cat([objective.real.video, objective.fake.video])
        self.labels = torch.zeros(len(self.videos), device=self.videos.device)
        self.size = sum(p.numel() for p in objective.parameters)
        self.steps, self.limit = 2 * K, MOST_PRODUCTS  # `ours` sets both

    def start(self) -> Tensor:
        """A random vector, the same each time."""
        vector = torch.randn(self.size, generator=torch.Generator().manual_seed(0))
        return vector.to(self.videos.device)


@dataclass
class Result:
    """What a method returned: ``values`` (k,), ``vectors`` (k, P), its products, seconds, and a remark."""

    values: Tensor
    vectors: Tensor | None
    products: int
    seconds: float
    remark: str = ""


class OutOfProductsError(Exception):
    """A library whose number of products cannot be limited has taken too many."""


class Clock:
    """Seconds since it was made: of the wall, or of this process on all its cores."""

    kind = "wall"

    def __init__(self, device: torch.device) -> None:
        self.device = device
        synchronize(device)
        self.started = self.now()

    def now(self) -> float:
        return time.perf_counter() if self.kind == "wall" else time.process_time()

    def seconds(self) -> float:
        synchronize(self.device)
        return self.now() - self.started


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ours(problem: Problem) -> Result:
    objective = problem.objective
    HessianOperator(objective, objective.parameters) @ problem.start()
    clock = Clock(problem.videos.device)
    operator = HessianOperator(objective, objective.parameters)
    pairs = lanczos(operator, K, tolerance=TOLERANCE, max_products=MOST_PRODUCTS, vectors=True)
    seconds = clock.seconds()
    affordable = int(problem.seconds / seconds * pairs.products)
    problem.steps, problem.limit = pairs.products, min(MOST_PRODUCTS, max(2 * pairs.products, affordable))
    return Result(pairs.values, pairs.vectors, operator.products, seconds)


def ours_with_eigsh(problem: Problem) -> Result:
    objective = problem.objective
    clock = Clock(problem.videos.device)
    operator = HessianOperator(objective, objective.parameters)
    return arpack(problem, operator.linear_operator(), problem.limit, clock)


def curvlinops(problem: Problem) -> Result:
    from curvlinops import HessianLinearOperator

    model = Scores(problem.objective.discriminator, written_out=True)

    def build() -> HessianLinearOperator:
        return HessianLinearOperator(
            model,
            problem.criterion,
            [parameter for parameter in model.parameters() if parameter.requires_grad],
            [(problem.videos, problem.labels)],
            check_deterministic=False,  # it is, and checking takes two products
        )

    build() @ problem.start()
    clock = Clock(problem.videos.device)
    return arpack(problem, build().to_scipy(), problem.limit, clock)


def hessian_eigenthings(problem: Problem) -> Result:
    from hessian_eigenthings import HessianOperator as Operator
    from hessian_eigenthings import lanczos as their_lanczos

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return problem.criterion(model(batch[0]), batch[1])

    operator = Operator(problem.model, [(problem.videos, problem.labels)], loss)
    operator @ problem.start()
    steps = problem.steps
    while True:
        clock = Clock(problem.videos.device)
        pairs = their_lanczos(operator, k=K, max_iter=steps, tol=TOLERANCE, reorthogonalize=True, seed=0)
        seconds = clock.seconds()
        if pairs.converged.all() or steps == problem.limit:
            remark = "" if pairs.converged.all() else "stopped"
            return Result(pairs.eigenvalues, pairs.eigenvectors, pairs.iterations, seconds, remark)
        steps = min(problem.limit, steps + steps // 4)


def pyhessian(problem: Problem, change: float = TOLERANCE, iterations: int = 100) -> Result:
    from pyhessian import hessian
    from pyhessian.utils import hessian_vector_product

    products = 0

    def counted(*arguments) -> tuple[Tensor, ...]:
        nonlocal products
        products += 1
        return hessian_vector_product(*arguments)

    iterations = min(iterations, problem.limit // K)
    torch.manual_seed(0)
    with replaced("pyhessian.hessian", "hessian_vector_product", counted):
        clock = Clock(problem.videos.device)
        batch = problem.videos, problem.labels
        curvature = hessian(problem.model, problem.criterion, data=batch, cuda=problem.videos.device.type == "cuda")
        values, vectors = curvature.eigenvalues(maxIter=iterations, tol=change, top_n=K)
        seconds = clock.seconds()
    for parameter in problem.model.parameters():
        parameter.grad = None  # it holds the graph
    flat = torch.stack([torch.cat([part.flatten() for part in vector]) for vector in vectors])
    return Result(torch.tensor(values), flat, products, seconds, f"at most {iterations} each")


def pyhessian_to_residual(problem: Problem) -> Result:
    return pyhessian(problem, change=1e-7, iterations=MOST_PRODUCTS // K)


@contextlib.contextmanager
def replaced(module_name: str, name: str, value: object):
    """Within the block, a name of a module has another value."""
    module = importlib.import_module(module_name)
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


def arpack(
    problem: Problem, operator: LinearOperator, limit: int, clock: Clock, tolerance: float = TOLERANCE
) -> Result:
    """SciPy's `eigsh` on an operator, with its products counted."""
    products = 0

    def counted(vector: np.ndarray) -> np.ndarray:
        nonlocal products
        if products == limit:
            raise OutOfProductsError
        products += 1
        return operator.matvec(vector)

    linear = LinearOperator(operator.shape, matvec=counted, dtype=operator.dtype)
    start = problem.start().double().cpu().numpy()
    remark = ""
    try:
        values, vectors = eigsh(linear, k=K, which="LM", tol=tolerance, v0=start)
    except OutOfProductsError:
        values, vectors, remark = np.empty(0), None, "stopped: returns nothing before it is done"
    except ArpackNoConvergence as error:
        values, vectors, remark = error.eigenvalues, error.eigenvectors, "stopped"
    seconds = clock.seconds()
    vectors = None if vectors is None else torch.from_numpy(vectors.T)
    return Result(torch.from_numpy(values), vectors, products, seconds, remark)


# A name, the distribution that it needs, and the method.
METHODS = (
    ("ours", None, ours),
    ("ours + eigsh", None, ours_with_eigsh),
    ("curvlinops + eigsh", "curvlinops-for-pytorch", curvlinops),
    ("hessian-eigenthings", "hessian-eigenthings", hessian_eigenthings),
    ("PyHessian", "pyhessian", pyhessian),
    ("PyHessian, 1e-7", "pyhessian", pyhessian_to_residual),
)


def worst_residual(operator: HessianOperator, result: Result) -> float:
    """The largest ‖Hx − θx‖ / |θ| of the returned pairs, each x scaled to unit length."""
    worst = 0.0
    for value, vector in zip(result.values.tolist(), result.vectors, strict=True):
        vector = (vector / vector.norm()).to(operator.device, operator.dtype)
        worst = max(worst, ((operator @ vector) - value * vector).norm().item() / abs(value))
    return worst


def number_found(values: Tensor, reference: Tensor) -> int:
    """How many of the reference's values are among the others, to the tolerance; none is used twice."""
    left, number = values.double().cpu().tolist(), 0
    for true in reference.tolist():
        nearest = min(left, key=lambda value: abs(value - true), default=None)
        if nearest is not None and abs(nearest - true) <= TOLERANCE * abs(true):
            left.remove(nearest)
            number += 1
    return number


def compare(size: str, batch: int, seconds: float, check: bool, device: torch.device) -> None:
    """Print the table of one size."""
    gan = zoo.build("tgan", size)
    for networks in (gan.generator, gan.discriminators):
        networks.to(device)
    videos = built_in_clips(batch, gan.image_size, gan.num_frames).to(device)
    problem = Problem(objective_of(gan, "video", videos), seconds)
    print(f"\ntgan {size}: {batch} + {batch} videos of {gan.image_size} px, {problem.size:,} parameters")

    operator = HessianOperator(problem.objective, problem.objective.parameters)
    reference = lanczos(operator, K, tolerance=1e-6, max_products=MOST_PRODUCTS)
    print(f"eigenvalues: {', '.join(f'{value:.6g}' for value in reference.values)} ({reference.products} products)")
    if check:
        other = arpack(problem, operator.linear_operator(), MOST_PRODUCTS, Clock(device), tolerance=1e-6)
        by_magnitude = other.values[other.values.abs().argsort(descending=True)]
        difference = ((by_magnitude - reference.values) / reference.values).abs().max()
        print(f"eigsh at 1e-6: they differ by {difference:.1e} at most ({other.products} products)")

    heads = f"{'products':>9} {'seconds':>9} {'ms each':>8} {'× ours':>7} {'residual':>9} {'found':>6}"
    print(f"{'':>22} {'version':>8} {heads}")
    baseline = None
    for name, needed, method in METHODS:
        try:
            version = importlib.metadata.version(needed) if needed else ""
        except importlib.metadata.PackageNotFoundError:
            print(f"{name:>22} not installed: pip install {needed}")
            continue
        result = method(problem)
        baseline = baseline or result.seconds
        residual = "" if result.vectors is None else f"{worst_residual(operator, result):.1e}"
        print(
            f"{name:>22} {version:>8} {result.products:9} {result.seconds:9.2f} "
            f"{1e3 * result.seconds / result.products:8.1f} {result.seconds / baseline:7.2f} {residual:>9} "
            f"{number_found(result.values, reference.values):6} {result.remark}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=list(BATCH), choices=list(BATCH))
    parser.add_argument("--batch", type=int, help=f"clips; default {BATCH}")
    parser.add_argument("--seconds", type=float, default=40, help="that the others may take, each")
    parser.add_argument("--check", action="store_true", help="compare the true eigenvalues with eigsh at 1e-6")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: where others use the machine")
    parser.add_argument("--threads", type=int, help="default PyTorch's")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    Clock.kind = arguments.clock
    warnings.filterwarnings("ignore", message="Using backward.. with create_graph=True")  # PyHessian does
    device = torch.device(arguments.device)
    print(f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads, {arguments.clock} time")
    for size in arguments.sizes:
        compare(size, arguments.batch or BATCH[size], arguments.seconds, arguments.check, device)


if __name__ == "__main__":
    main()
