"""Part 1: the tests that need CUDA, with pytest or, where there is none, without."""

import builtins
import contextlib
import importlib.util
import inspect
import itertools
import subprocess
import sys
import tempfile
import types
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu_parts.report import Report, Skipped
from gpu_parts.setting import Setting, products

REPOSITORY = Path(__file__).resolve().parents[2]
TESTS = REPOSITORY / "tests"


def run(setting: Setting, report: Report) -> None:
    """All of part 1."""
    report.item("tests marked cuda", lambda: tests(setting, report), seconds=600, share=1.0)


def tests(setting: Setting, report: Report) -> dict[str, Any]:
    """Run them, however that can be done here."""
    modules = marked_modules()
    if not setting.cuda:
        raise Skipped(f"no CUDA; {len(modules)} modules have such tests")
    if importlib.util.find_spec("pytest"):
        return with_pytest(modules, report.left() - 2)
    with products("float32"):  # as fixtures would see to, which are not run
        return without_pytest(modules)


def marked_modules(tests: Path = TESTS) -> list[Path]:
    """The modules in which the mark is used."""
    return [path for path in sorted(tests.rglob("test_*.py")) if "mark.cuda" in path.read_text()]


def with_pytest(modules: list[Path], seconds: float, marker: str = "cuda") -> dict[str, Any]:
    """In a process of its own, so that no plugin that is missing and no test that hangs ends the report."""
    with tempfile.TemporaryDirectory() as directory:
        results = Path(directory) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", marker, "--continue-on-collection-errors", "--tb=short"]
        command += ["--import-mode=importlib", f"--junitxml={results}", "-o", "addopts="]
        command += [
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-p",
            "no:timeout",
            "-o",
            f"pythonpath={' '.join(_import_paths())}",
        ]
        try:
            done = subprocess.run([*command, *modules], cwd=REPOSITORY, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired as late:
            output = late.stdout or b""
            text = output.decode(errors="replace") if isinstance(output, bytes) else output
            return {"note": f"ended after {seconds:.0f} s", "output": text[-3000:]}
        rows = [_row(case) for case in ElementTree.parse(results).iter("testcase")] if results.exists() else []
        values = {"rows": rows, "exit status": done.returncode}
        if done.returncode not in (0, 5) or not rows:
            values["output"] = done.stdout[-3000:] + done.stderr[-500:]
        return values


def _import_paths() -> list[str]:
    return [str(TESTS), str(TESTS / "data")]


def _row(case: ElementTree.Element) -> dict[str, Any]:
    troubles = [child for child in case if child.tag in ("failure", "error", "skipped")]
    outcome = {"failure": "FAILED", "error": "ERROR", "skipped": "skipped"}[troubles[0].tag] if troubles else "passed"
    message = (troubles[0].get("message") or "")[:300] if troubles else ""
    name = f"{case.get('classname')}::{case.get('name')}"
    return {"test": name, "outcome": outcome, "s": float(case.get("time") or 0), "message": message}


# Without pytest -------------------------------------------------------------------------------------------------------


class _Left(Exception):
    """A test was skipped from within."""


class _Mark:
    """``pytest.mark``: what a decorator says is kept on the function."""

    def __init__(self, name: str = "", arguments: tuple[Any, ...] = ()) -> None:
        self.name, self.arguments = name, arguments

    def __getattr__(self, name: str) -> "_Mark":
        return _Mark(name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and inspect.isfunction(arguments[0]) and not options:
            arguments[0].marks = [*getattr(arguments[0], "marks", []), self]
            return arguments[0]
        return _Mark(self.name, arguments)


def stand_in() -> types.ModuleType:
    """As much of pytest as simple tests take."""
    module = types.ModuleType("pytest")

    @contextlib.contextmanager
    def raises(expected: Any, match: str | None = None) -> Iterator[None]:
        try:
            yield
        except expected:
            return
        raise AssertionError(f"{expected} was not raised")

    def skip(reason: str = "", **options: Any) -> None:
        raise _Left(reason)

    def fixture(*functions: Any, **options: Any) -> Any:
        return functions[0] if functions else lambda function: function

    def approx(value: Any, rel: float = 1e-6, abs: float = 1e-12) -> Any:
        class Near:
            def __eq__(self, other: object) -> bool:
                return builtins.abs(float(other) - value) <= max(rel * builtins.abs(value), abs)  # type: ignore[arg-type]

        return Near()

    module.__dict__.update(mark=_Mark(), raises=raises, skip=skip, fixture=fixture, approx=approx)
    module.__dict__.update(param=lambda *values, **options: values if len(values) > 1 else values[0])
    module.__dict__.update(importorskip=importlib.import_module, Item=object, MonkeyPatch=object)
    return module


def without_pytest(modules: list[Path], marker: str = "cuda") -> dict[str, Any]:
    """Import the modules, and call the marked functions whose arguments, if any, are in a `parametrize`."""
    rows, before = [], sys.modules.get("pytest")
    sys.modules["pytest"] = stand_in()
    sys.path[:0] = _import_paths()
    try:
        for path in modules:
            try:
                spec = importlib.util.spec_from_file_location(f"_{path.stem}", path)
                module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
                spec.loader.exec_module(module)  # type: ignore[union-attr]
            except Exception as error:
                rows.append(_told(path.name, "ERROR", error))
                continue
            everywhere = getattr(module, "pytestmark", [])
            everywhere = everywhere if isinstance(everywhere, list) else [everywhere]
            for name, function in list(vars(module).items()):
                marks = [*getattr(function, "marks", []), *everywhere] if inspect.isfunction(function) else []
                if name.startswith("test_") and marker in [mark.name for mark in marks]:
                    rows += _called(f"{path.stem}::{name}", function, marks)
    finally:
        del sys.path[: len(_import_paths())]
        sys.modules.pop("pytest")
        if before is not None:
            sys.modules["pytest"] = before
    return {"rows": rows, "note": "pytest is not installed: called one by one"}


def _called(name: str, function: Any, marks: list[_Mark]) -> list[dict[str, Any]]:
    cases: list[list[tuple[str, Any]]] = []
    for mark in marks:
        if mark.name == "parametrize":
            names = mark.arguments[0]
            names = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
            cases.append([tuple(zip(names, v if len(names) > 1 else [v], strict=True)) for v in mark.arguments[1]])
    rows = []
    for case in itertools.product(*cases):
        options = dict(itertools.chain.from_iterable(case))
        called = name + (f"[{', '.join(map(str, options.values()))}]" if options else "")
        if set(inspect.signature(function).parameters) - set(options):
            rows.append(_told(called, "left out", "it takes fixtures"))
            continue
        try:
            function(**options)
            rows.append(_told(called, "passed", ""))
        except _Left as reason:
            rows.append(_told(called, "skipped", str(reason)))
        except Exception as error:
            rows.append(_told(called, "FAILED", error))
    return rows


def _told(name: str, outcome: str, message: Any) -> dict[str, Any]:
    text = f"{type(message).__name__}: {message}" if isinstance(message, Exception) else message
    return {"test": name, "outcome": outcome, "message": text[:300]}
