"""Packages that only a part of the library needs: imported where they are used, and missed in words.

Networks, training, scores and figures work on a machine that has PyTorch, NumPy, SciPy and Matplotlib and little more.
What decodes video files, downloads them or shows them in a notebook needs more, and says so:

    with needed("av", "to decode and write video files"):
        import av
"""

from collections.abc import Iterator
from contextlib import contextmanager

# What a package is called where it is installed from, if that is not the name it is imported by.
_DISTRIBUTIONS = {"IPython": "ipython"}


class MissingPackageError(ModuleNotFoundError):
    """A package that this function needs is not installed; the message says what for, and how to install it."""


@contextmanager
def needed(package: str, purpose: str) -> Iterator[None]:
    """Around the import of a package that may be missing: an error in words if it is.

    Args:
        package: the name that it is imported by.
        purpose: what it is needed for, "to ...".

    Raises:
        MissingPackageError: if it is not installed. An installed package that fails to import raises its own error.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise MissingPackageError(
            f"the package {package!r} is needed {purpose}, and it is not installed: "
            f"pip install {_DISTRIBUTIONS.get(package, package)}",
            name=package,
        ) from error
