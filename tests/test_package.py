"""The package as a whole."""

import subprocess
import sys

import pytest

import ldvd_lib


def test_every_name_is_there() -> None:
    for name in ldvd_lib.__all__:
        assert getattr(ldvd_lib, name).__name__ == name
    with pytest.raises(AttributeError, match="Trainer"):
        _ = ldvd_lib.Trainner


def test_importing_it_loads_nothing_heavy() -> None:
    """Not even the training loop needs Jupyter or matplotlib; the package itself does not even need torch."""
    script = (
        "import sys, ldvd_lib; assert 'torch' not in sys.modules;"
        "from ldvd_lib import Trainer, dissect;"
        "print([m for m in ('matplotlib', 'IPython', 'ipywidgets', 'moviepy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_imports_run_one_way() -> None:
    """No module imports one above it: the order of DESIGN's rooms, read off the imports themselves."""
    import ast
    from pathlib import Path

    floors = [
        {"_files", "_checks", "_drawing", "_shared_file", "_tables", "_torchvision", "configuration", "environment"},
        {"video", "blocks", "latents", "lipschitz", "losses"},
        {"generators", "discriminators", "data", "hessian", "metrics", "_shelf"},
        {"gan"},
        {"zoo", "anatomy", "_anatomy_figure", "_table_figure", "paper", "pretrained", "scores", "training"},
        {"capstone", "leaderboard"},
        {"plots", "exercises"},
        {"widgets", "classroom", "demo", "reproduce"},
        {"cli"},
    ]
    level = {name: number for number, floor in enumerate(floors) for name in floor}
    package = Path(ldvd_lib.__file__).parent
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts == ("__init__",):
            continue
        assert parts[0] in level, f"{path.name} has no place in the order yet"
        # Only imports that run: those for type checkers alone may look up.
        tree = ast.parse(path.read_text())
        typing_only = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing_only:
                if not node.module.startswith("ldvd_lib"):
                    continue
                rooms = node.module.split(".")[1:2] or [alias.name for alias in node.names]
                for room in rooms:
                    assert level[room] <= level[parts[0]], f"{'/'.join(parts)} imports {room}, which is above it"
