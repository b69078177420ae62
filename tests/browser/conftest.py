"""A JupyterLab of its own and a headless Chromium to look at it, for tests that drive widgets as a learner does.

`notebooks` opens a notebook in the browser; `LabNotebook` runs it, lets the test ask the kernel what Python sees, keeps
what the browser's console complained about, and takes screenshots.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from jupyter_client import BlockingKernelClient
from looks import artifacts
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

# How long a page may take to show what a test expects, in milliseconds: five seconds, Playwright's own limit, pass on a
# busy machine while the kernel imports what it needs for the first film. Only a test that fails waits so long.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

_KERNEL_IS_CONNECTED = """() => {
  const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
  return context?.session?.kernel?.connectionStatus === "connected";
}"""
_LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no business on this machine
_CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # containers seldom allow Chromium's own sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    directory: Path
    runtime: Path
    data: Path

    def api(self, path: str, method: str = "GET") -> list | dict | None:
        """Ask Jupyter's server, and return what it answers, if anything."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/api/{path}", headers=headers, method=method)
        with _LOCAL.open(request, timeout=10) as response:
            return json.loads(response.read() or "null")


@dataclass
class LabNotebook:
    """A notebook that is open in the browser."""

    lab: Lab
    page: Page
    name: str
    console_errors: list[str] = field(default_factory=list)

    def run_all(self) -> None:
        """Run every cell and wait until the last has finished."""
        self.command("notebook:run-all-cells")

    def command(self, identifier: str, **arguments: object) -> None:
        """Run one of JupyterLab's commands and wait for its end."""
        script = "async ([identifier, arguments]) => { await jupyterapp.commands.execute(identifier, arguments) }"
        self.page.evaluate(script, [identifier, arguments])

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel, beside the notebook, and return what it prints."""
        client = self._client()
        try:
            client.wait_for_ready(timeout=30)
            printed: list[str] = []

            def collect(message: dict) -> None:
                if message["msg_type"] == "stream":
                    printed.append(message["content"]["text"])
                elif message["msg_type"] == "error":
                    raise AssertionError("\n".join(message["content"]["traceback"]))

            client.execute_interactive(code, timeout=30, output_hook=collect, allow_stdin=False)
            return "".join(printed).strip()
        finally:
            client.stop_channels()

    def says(self, expression: str, expected: str) -> None:
        """Wait until the kernel has heard what the learner did: until it prints `expected` for the expression."""
        for _ in range(50):
            value = self.python(f"print({expression})")
            if value == expected:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{expression} is {value}, not {expected}")

    @staticmethod
    def type_into(field: Locator, text: str) -> None:
        """As one does by hand: select what is there, type, press Enter."""
        field.select_text()
        field.press_sequentially(text)
        field.press("Enter")

    def _client(self) -> BlockingKernelClient:
        kernel = next(s["kernel"]["id"] for s in self.lab.api("sessions") if s["path"] == self.name)
        client = BlockingKernelClient(connection_file=str(self.lab.runtime / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels()
        return client

    def set_theme(self, theme: str) -> None:
        """``"light"`` or ``"dark"``."""
        self.command("apputils:change-theme", theme=THEMES[theme])
        self.page.wait_for_selector(f'body[data-jp-theme-name="{THEMES[theme]}"]', state="attached")

    def screenshot(self, name: str) -> Path:
        """Save what is on screen among the artefacts."""
        path = artifacts() / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    @contextlib.contextmanager
    def busy_kernel(self) -> Iterator[None]:
        """Keep the kernel from answering for as long as the block lasts."""
        flag = self.lab.runtime / f"busy-{self.name}"
        flag.touch()
        client = self._client()
        try:
            client.execute(f"import os, time\nwhile os.path.exists({str(flag)!r}): time.sleep(0.05)")
            self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="busy"]', state="attached")
            yield
        finally:
            flag.unlink()
            client.stop_channels()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where tests without a notebook put what they saw."""
    return artifacts()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("chromium is not on the PATH; on Debian, apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on a port of its own, with settings and files of its own in a temporary directory."""
    home = tmp_path_factory.mktemp("jupyterlab")
    directories = {name: home / name for name in ("notebooks", "config", "data", "runtime", "ipython", "settings")}
    for directory in directories.values():
        directory.mkdir()
    _quieten(directories["settings"])
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(directories["config"]),
        "JUPYTER_DATA_DIR": str(directories["data"]),
        "JUPYTER_RUNTIME_DIR": str(directories["runtime"]),
        "JUPYTERLAB_SETTINGS_DIR": str(directories["settings"]),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(directories["ipython"]),
    }
    port, token = _free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={directories['notebooks']}"]
    command += ["--LabApp.extension_manager=readonly"]
    log = home / "jupyterlab.log"
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl-C reaches pytest alone, which then ends the server.
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
    lab = Lab(f"http://127.0.0.1:{port}", token, directories["notebooks"], directories["runtime"], directories["data"])
    try:
        _wait_until_it_answers(lab, server, log)
        yield lab
    finally:
        _end(server)


@pytest.fixture(scope="module")
def notebooks(chromium: Browser, lab: Lab) -> Iterator[Callable[..., LabNotebook]]:
    """Opens notebooks: ``notebooks(name, notebook)`` writes one and shows it in a new page.

    The notebook is a list of the sources of code cells, or one in nbformat's own form, perhaps with outputs; JupyterLab
    shows its widgets only if it is trusted. Pages and kernels last as long as the module's tests, which can share them.
    """
    contexts = []

    def open_notebook(
        name: str,
        notebook: list[str] | nbformat.NotebookNode,
        *,
        trusted: bool = False,
        width: int = 1100,
        height: int = 900,
    ) -> LabNotebook:
        if isinstance(notebook, list):
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in notebook])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        if trusted:
            NotebookNotary(data_dir=str(lab.data)).sign(notebook)
        nbformat.write(notebook, lab.directory / name)
        context = chromium.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        opened = LabNotebook(lab, page, name)
        page.on("console", opened._on_console)
        page.on("pageerror", lambda error: opened.console_errors.append(str(error)))
        page.goto(f"{lab.url}/doc/tree/{name}?reset&token={lab.token}")
        # A cell that is run before the kernel is there brings up a dialogue that asks for one.
        page.wait_for_function(_KERNEL_IS_CONNECTED)
        return opened

    yield open_notebook
    for context in contexts:
        context.close()
    for session in lab.api("sessions"):
        lab.api(f"sessions/{session['id']}", "DELETE")


def _quieten(settings: Path) -> None:
    """No news, no tours, no questions."""
    path = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(lab: Lab, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            lab.api("status")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"JupyterLab did not start. Its log ends:\n{log.read_text()[-3000:]}")


def _end(server: subprocess.Popen) -> None:
    """Ask the server to end, and its kernels with it; without patience after ten seconds (kernels notice that)."""
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Callable[..., nbformat.NotebookNode]:
    """Cells' sources → a notebook with outputs and widgets' state, as the course is published."""

    def execute(*sources: str) -> nbformat.NotebookNode:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        resources = {"metadata": {"path": tmp_path_factory.mktemp("published")}}
        return NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources).execute()

    return execute
