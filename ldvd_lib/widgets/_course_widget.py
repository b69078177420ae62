"""What all widgets share: their common scripts and styles, a line that says what goes on, a picture to stand in."""

import io
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STATIC = Path(__file__).parent / "static"


def script(*names: str) -> str:
    """The common script followed by those of ``static/``, as one module, which is what an anywidget takes."""
    return _joined("kit.js", *names)


def style(*names: str) -> str:
    """The common style followed by those of ``static/``."""
    return _joined("kit.css", *names)


def _joined(*names: str) -> str:
    return "\n".join((_STATIC / name).read_text("utf-8") for name in names)


class CourseWidget(anywidget.AnyWidget):
    """A widget of the course. Where no kernel answers, such as on GitHub, a picture stands in for it.

    Attributes:
        status: what the widget last had to say.
    """

    status = traitlets.Unicode("").tag(sync=True)
    _failed = traitlets.Bool(False).tag(sync=True)  # whether `status` tells of a failure

    def _report(self, status: str, *, failed: bool = False) -> None:
        with self.hold_sync():
            self.status, self._failed = status, failed

    def _still_picture(self) -> tuple[bytes, str]:
        """A PNG of what the widget shows, and the text for those who do not see it."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget where a kernel answers; a picture where none does."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture, alt = self._still_picture()
        return (
            {**data, "image/png": b64encode(picture).decode()},
            {**metadata, "image/png": {"alt": alt}},
        )


def png(figure: "Figure", *, dpi: int = 90) -> bytes:
    """A figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def say(error: Exception) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {error}"
