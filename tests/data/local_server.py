"""An HTTP server on this machine that misbehaves as told, for the tests of downloading."""

import contextlib
import hashlib
import re
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """How to answer one request; the defaults are those of an honest server that knows ranges."""

    status: int | None = None  # instead of 200, 206 or 416, and without the file
    headers: dict[str, str | None] = field(default_factory=dict)  # set, or with None left out
    drop_after: int | None = None  # close the connection after so many bytes of the body
    stall: float = 0.0  # seconds of silence before the body
    ignore_range: bool = False
    start_at: int | None = None  # send a range from here, whatever was asked for
    ignore_if_range: bool = False


HONEST = Answer()


class LocalServer:
    """Serves `files` by path; answers as `script` says, one entry a request, and honestly when that is used up."""

    def __init__(self, context: ssl.SSLContext | None = None):
        self.files: dict[str, bytes] = {}
        self.script: list[Answer] = []
        self.otherwise = HONEST
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._scheme = "http"
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"

    def url(self, name: str) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/{name}"

    def ranges(self) -> list[str | None]:
        """The Range of each request so far."""
        return [headers.get("Range") for _, headers in self.requests]

    @contextlib.contextmanager
    def running(self) -> Iterator["LocalServer"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append((self.path, dict(self.headers)))
                answer = server.script.pop(0) if server.script else server.otherwise
                with contextlib.suppress(ConnectionError):
                    server._answer(self, answer)

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        content = self.files.get(handler.path.lstrip("/"))
        etag = f'"{hashlib.sha256(content or b"").hexdigest()[:16]}"'
        headers: dict[str, str | None] = {"ETag": etag, "Accept-Ranges": "bytes"}
        if answer.status is not None or content is None:
            status, body, headers = answer.status or 404, b"<html>an error page</html>", {}
        else:
            status, body = 200, content
            wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
            same = answer.ignore_if_range or handler.headers.get("If-Range") in (None, etag)
            if wanted and same and not answer.ignore_range:
                start = int(wanted[1]) if answer.start_at is None else answer.start_at
                if start >= len(content):
                    status, body, headers["Content-Range"] = 416, b"", f"bytes */{len(content)}"
                else:
                    status, body = 206, content[start:]
                    headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers, **answer.headers}.items():
            if value is not None:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.flush()
        time.sleep(answer.stall)
        handler.wfile.write(body[: answer.drop_after])
