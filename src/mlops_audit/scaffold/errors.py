"""What can go wrong between a person, copier and git, each as one sentence."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator

__all__ = ["ScaffoldError", "copier_errors"]

NO_COPIER = "this needs copier: pip install 'mlops-audit[template]'"


class ScaffoldError(Exception):
    """The call cannot be carried out; the message is one sentence for a person."""


@contextlib.contextmanager
def copier_errors() -> Iterator[None]:
    """Turn copier's exceptions, which come with tracebacks, into one sentence each.

    Raises:
        ScaffoldError: copier is missing or refused.
    """
    try:
        import copier.errors  # noqa: PLC0415 -- an extra, and a second to import
    except ImportError as error:
        raise ScaffoldError(NO_COPIER) from error
    # Copier prints the progress of git and of validators; a caller wants its own words alone.
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            yield
    except (copier.errors.CopierError, copier.errors.UserMessageError) as error:
        raise ScaffoldError(_one_sentence(error)) from error
    except ValueError as error:  # a question's validator
        raise ScaffoldError(_one_sentence(error)) from error
    except Exception as error:
        if "plumbum" not in type(error).__module__:
            sys.stderr.write(said.getvalue())
            raise
        raise ScaffoldError(f"git failed: {_one_sentence(error)}") from error


def _one_sentence(error: Exception) -> str:
    lines = [line.strip(" |") for line in str(error).splitlines() if line.strip(" |")]
    return " ".join(lines[-3:]) or type(error).__name__
