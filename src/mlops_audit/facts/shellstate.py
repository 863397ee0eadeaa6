"""What surrounds a command of a shell text, and what the shell remembers between commands."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

__all__ = ["Context", "State", "start_context"]


class Context(Struct, frozen=True):
    """What surrounds a list: why its failure is lost (or nothing), and whose status decides.

    `why` holds whatever the command does; `lost` only until something turns the failure into an
    `exit` (`|| exit 1`, `if ! …; then exit 1; fi`).
    """

    why: str = ""
    lost: str = ""
    condition: str = ""
    tail: bool = True  # the list's last status becomes the text's
    tested: bool = False  # `set -e` does not act here
    calls: int = 0
    stdin: str = ""

    @property
    def soft(self) -> str:
        """Why a failure here cannot fail the text, or nothing."""
        return self.why or self.lost

    def inside(self, *, aborts: bool) -> Context:
        """The context within a subshell or a nested script, whose status is all that comes out."""
        return replace(self, why=self.soft, lost="", tail=self.tail or aborts or not self.soft)


def start_context() -> Context:
    """Give the context of a whole text."""
    return Context()


class State(Struct):
    """What a shell remembers between commands."""

    cwd: str = ""
    errexit: bool = True
    pipefail: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    previous: str = ""
    args: tuple[str, ...] | None = None

    def copy(self) -> State:
        """Give the state of a subshell."""
        return replace(
            self,
            variables=dict(self.variables),
            exports=dict(self.exports),
            folders=list(self.folders),
        )
