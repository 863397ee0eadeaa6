"""Whether a tracker records where it stands: on, local, behind a switch, or off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Guard
from mlops_audit.graph.settings import is_set, switch
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["LOCAL", "RECORDS", "Tracked", "standing_of", "switch_around"]

# Lightning logs to whatever logger its trainer has; one that is set stands in another place.
LOCAL = frozenset({"TensorBoard", "CSV loggers", "tf.summary", "Lightning", "PyTorch Lightning"})
RECORDS = frozenset(
    ["tracker.run", "tracker.params", "tracker.metrics", "tracker.artifacts", "tracker.model",
     "tracker.autolog", "tracker.input", "tracker.remote", "tracker.local", "tracker.off"]
)  # fmt: skip
_SWITCH_WORD = regex(
    r"wandb|w_and_b|mlflow|neptune|comet|clearml|\baim\b|track|swanlab|dvclive|report_to|"
    r"experiment_name|(^|_)log(s|ger|ging|_metrics)?($|_)|enable_log|tensorboard|(^|_)tb($|_)",
    re.IGNORECASE,
)
_NAME = regex(r"[A-Za-z_][\w.]*")
# `os.environ.get("USE_MLFLOW") == "1"`: a switch without a default, that the environment turns.
_FLAG_OF = regex(
    r"(?:environ\.get|getenv)\(\s*['\"](\w*(?:USE|ENABLE|WITH|TRACK|LOG)\w*)['\"]\s*\)"
)


class Tracked(Struct, frozen=True):
    """One thing that a tracker records.

    `standing` is `on`; `local` for TensorBoard, CSV and offline runs; `switch` where it is off as
    the repository stands; `off` where it is disabled. `notebook` says where it stands.
    """

    tool: str
    capability: str
    standing: str
    evidence: Evidence
    notebook: bool = False
    use: Use | None = None

    @property
    def counts(self) -> bool:
        """Whether it records at all."""
        return self.standing in {"on", "local"}


def standing_of(tool: str, capability: str, call: Call | None) -> str:
    """Where a tool stands by itself and by what its call is told."""
    if tool in LOCAL or capability == "tracker.local":
        return "local"
    if call is not None:
        mode = call.kw("mode")
        if mode is not None and mode.literal == "disabled":
            return "off"
        for name in ("disabled", "disable"):
            disabled = call.kw(name)
            if disabled is not None and disabled.literal is True:
                return "off"
    return "off" if capability == "tracker.off" else "on"


def switch_around(
    project: Project, guards: tuple[Guard, ...]
) -> tuple[str, Evidence | None] | None:
    """The state of the switch that guards a place, `on` or `off`, with what shows it."""
    for guard in guards:
        if guard.negated or re.search(r"\bnot\b|is None|!=", guard.text):
            continue
        if (variable := _FLAG_OF.search(guard.text)) and not is_set(project, variable[1]):
            return "off", None
        for name in _NAME.findall(guard.text):
            last = name.rsplit(".", 1)[-1]
            if _SWITCH_WORD.search(last) and (known := switch(project, last)).state:
                return known.state, known.evidence
    return None
