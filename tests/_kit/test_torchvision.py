"""torchvision is imported in one place, and can be imported whatever build of torch is installed."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

FOLDERS = ("ldvd_lib", "course", "benchmarks", "data_scripts", "tests")
DOOR = Path("ldvd_lib", "_kit", "torchvision.py")


def _run(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def _sources(repository: Path) -> Iterator[tuple[Path, str]]:
    """Every piece of Python in the repository: modules, scripts and the cells of notebooks."""
    for folder in FOLDERS:
        for path in sorted((repository / folder).rglob("*.py")):
            yield path.relative_to(repository), path.read_text()
        for path in sorted((repository / folder).rglob("*.ipynb")):
            for cell in json.loads(path.read_text())["cells"]:
                if cell["cell_type"] == "code":
                    source = TransformerManager().transform_cell("".join(cell["source"]))
                    yield path.relative_to(repository), source


def _imported(source: str) -> set[str]:
    """The first part of every module that a source imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_it_imports_beside_the_torch_that_is_here():
    code = "from ldvd_lib._kit.torchvision import torchvision; print(torchvision.__version__)"
    assert _run(code).startswith("0.")


def test_what_the_library_uses_works_without_the_compiled_operators():
    """Its compiled operators do not load, as those of a CUDA build with a CPU torch: no library of them is found."""
    code = """
import pathlib
original = pathlib.Path.glob
pathlib.Path.glob = lambda self, pattern: iter(()) if pattern.startswith("_C") else original(self, pattern)
from ldvd_lib._kit.torchvision import torchvision
import torch
frame = torch.zeros(3, 8, 8, dtype=torch.uint8)
print(tuple(torchvision.transforms.functional.resize(frame, [4, 4], antialias=True).shape))
"""
    assert _run(code) == "(3, 4, 4)"


def test_nothing_else_imports_it(repository):
    through_another_door = {
        str(path) for path, source in _sources(repository) if path != DOOR and "torchvision" in _imported(source)
    }
    assert not through_another_door, "import it as `from ldvd_lib._kit.torchvision import torchvision`"


@pytest.mark.parametrize(
    "source", ["import torchvision.io as tv", "from torchvision import io", "def f():\n    import torchvision"]
)
def test_the_search_finds_every_way_to_import_it(source):
    assert "torchvision" in _imported(source)
    assert "torchvision" not in _imported("from ldvd_lib._kit.torchvision import torchvision")
