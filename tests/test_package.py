"""The package as a whole."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ldvd_lib

PACKAGE = Path(ldvd_lib.__file__).parent

# The rooms of the house, as CONTRIBUTING has them: a module imports from its own room and from those before it.
ROOMS = (
    "_kit",
    "batch",
    "video",
    "losses",
    "lipschitz",
    "latents",
    "blocks",
    "views",
    "generators",
    "discriminators",
    "anatomy",
    "recipe",
    "gan",
    "zoo",
    "objective",
    "data",
    "metrics",
    "hessian",
    "runs",
    "paper",
    "training",
    "figures",
    "classroom",
    "reproduce",
    "widgets",
    "cli",
)


def imports(path: Path, package: Path) -> Iterator[tuple[str, bool]]:
    """What a module imports of the package, as dotted names from it on; and whether only for the type checker."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.level == 0
            and node.module
            and node.module.split(".")[0] == "ldvd_lib"
        ):
            where = node.module.split(".")[1:]
            for alias in node.names:
                # A name may be a module.
                inner = [*where, alias.name]
                is_module = package.joinpath(*inner).is_dir() or package.joinpath(*inner).with_suffix(".py").is_file()
                yield ".".join(inner if is_module else where), id(node) in typing_only
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "ldvd_lib":
                    yield ".".join(alias.name.split(".")[1:]), id(node) in typing_only


def backward(package: Path) -> list[str]:
    """Every import that runs back, from a room to a later one: of names, types and files, at whatever depth."""
    level = {room: number for number, room in enumerate(ROOMS)}
    arrows = []
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package).with_suffix("").parts
        if module == ("__init__",):
            continue
        assert module[0] in level, f"{'/'.join(module)} has no room: give it one, here and in CONTRIBUTING"
        for name, _ in imports(path, package):
            room = name.split(".")[0]
            if room and level[room] > level[module[0]]:
                arrows.append(f"{'/'.join(module)} → {name}")
    return arrows


def circles(package: Path) -> list[list[str]]:
    """Modules that import each other when they run, directly or by way of others."""
    graph: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        graph[module] = {name for name, typing_only in imports(path, package) if not typing_only and name != module}
    found: list[list[str]] = []

    def visit(module: str, trail: list[str], done: set[str]) -> None:
        for name in graph.get(module, ()):
            # A package's own __init__ imports its modules; that they import it again is what is looked for.
            if name in trail:
                found.append([*trail[trail.index(name) :], name])
            elif name not in done:
                visit(name, [*trail, name], done)
        done.add(module)

    done: set[str] = set()
    for module in graph:
        if module not in done:
            visit(module, [module], done)
    return found


def test_imports_run_one_way() -> None:
    assert backward(PACKAGE) == []


def test_no_modules_import_each_other() -> None:
    assert circles(PACKAGE) == []


def test_imports_that_run_back_and_circles_are_found(tmp_path) -> None:
    """What the two tests above look for, planted."""
    sources = {
        "__init__.py": "",
        "data/__init__.py": "from ldvd_lib.data import store",
        "data/store.py": "def f():\n    from ldvd_lib.training import Trainer",
        "gan.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ldvd_lib.zoo import config",
        "training/__init__.py": "from ldvd_lib import gan\nfrom ldvd_lib.training.loop import Trainer",
        "training/loop.py": "import ldvd_lib.training.play",
        "training/play.py": "from ldvd_lib.training.loop import Trainer",
        "zoo.py": "from ldvd_lib import gan",
    }
    for name, source in sources.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    assert backward(tmp_path) == ["data/store → training", "gan → zoo"]
    assert circles(tmp_path) == [["training.loop", "training.play", "training.loop"]]


def test_the_rooms_are_those_that_contributing_tells_of(repository) -> None:
    told = (repository / "CONTRIBUTING.md").read_text()
    assert set(ROOMS) == {path.stem for path in PACKAGE.iterdir() if path.stem not in ("__init__", "__pycache__")}
    places = [told.find(f"| `{room}`") for room in ROOMS]
    assert -1 not in places, [room for room, place in zip(ROOMS, places, strict=True) if place == -1]
    assert places == sorted(places)


def test_every_name_and_every_room_is_there() -> None:
    for name in ldvd_lib.__all__:
        value = getattr(ldvd_lib, name)
        assert value.__name__ in (name, f"ldvd_lib.{name}")
    with pytest.raises(AttributeError, match="Trainer"):
        _ = ldvd_lib.Trainner


def test_importing_it_loads_nothing_heavy() -> None:
    """Not even the training loop needs Jupyter or matplotlib; the package itself does not even need torch."""
    script = (
        "import sys, ldvd_lib; assert 'torch' not in sys.modules; assert ldvd_lib.zoo.build;"
        "from ldvd_lib import Trainer, dissect;"
        "print([m for m in ('matplotlib', 'IPython', 'ipywidgets', 'moviepy', 'torchmetrics') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
