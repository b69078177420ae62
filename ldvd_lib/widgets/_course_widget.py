"""What all widgets share: their common scripts and styles, a status line, and a picture as a fallback."""

import io
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ldvd_lib._kit.checks import one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a widget leaves for pages without a kernel: {"widget": its name in ldvd_lib.widgets, "state": its traits}.
LIVE_TYPE = "application/vnd.ldvd.live+json"

_STATIC = Path(__file__).parent / "static"


def script(*names: str) -> str:
    """The common script followed by these of ``static/``, as one module, which is what an anywidget takes."""
    return _joined("kit.js", *names)


def style(*names: str) -> str:
    """The common style followed by these of ``static/``."""
    return _joined("kit.css", *names)


def _joined(*names: str) -> str:
    return "\n".join((_STATIC / name).read_text("utf-8") for name in names)


class CourseWidget(anywidget.AnyWidget):
    """A widget of the course. Without a kernel, such as on GitHub, a picture is shown in its place.

    Attributes:
        status: the last message of the widget.
    """

    status = traitlets.Unicode("").tag(sync=True)
    _failed = traitlets.Bool(False).tag(sync=True)  # whether `status` reports a failure

    def _report(self, status: str, *, failed: bool = False) -> None:
        with self.hold_sync():
            self.status, self._failed = status, failed

    def _still_picture(self) -> tuple[bytes, str]:
        """A PNG of what the widget shows, and a text for those who cannot see it."""
        raise NotImplementedError

    def _live(self) -> dict[str, Any] | None:
        """What brings the widget to life without a kernel, see `LIVE_TYPE`; None if nothing does."""
        return None

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget if there is a kernel, and a picture if there is none."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        picture, alt = self._still_picture()
        live = self._live()
        return (
            {**data, "image/png": b64encode(picture).decode(), **({LIVE_TYPE: live} if live else {})},
            {**metadata, "image/png": {"alt": alt}},
        )


def checked_choice(name: str, value: Any, known: Iterable[Any]) -> Any:
    """The value of a trait, which must be one of the known ones.

    Raises:
        traitlets.TraitError: as `one_of` says.
    """
    try:
        return one_of(name, value, known)
    except ValueError as error:
        raise traitlets.TraitError(str(error)) from None


def png(figure: "Figure", *, dpi: int = 90) -> bytes:
    """A figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def say(error: Exception) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {error}"
