"""`fix`: the template's files that mend failing practices, written only where nothing exists."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from msgspec import Struct

from mlops_audit.model import Finding, Outcome, Report
from mlops_audit.scaffold.new import make
from mlops_audit.scaffold.source import Source
from mlops_audit.scaffold.upgrade import ANSWERS

__all__ = ["Offer", "offers", "write"]

_PACKAGE = "<package>"
_SOURCE = f"src/{_PACKAGE}"
# Practices name the files of the default answers; what stands in for one of them where another
# answer was given.
INSTEAD: Mapping[str, tuple[str, ...]] = {
    ".github/CODEOWNERS": (".gitlab/CODEOWNERS",),
    ".github/dependabot.yml": (".gitlab/ci/dependencies.yml", "renovate.json"),
    ".github/pull_request_template.md": (".gitlab/merge_request_templates/Default.md",),
    ".github/workflows/ci.yml": (".gitlab-ci.yml",),
    ".github/workflows/monitor.yml": (".gitlab/ci/monitor.yml",),
    ".github/workflows/release.yml": (".gitlab/ci/release.yml",),
    ".github/workflows/train.yml": (".gitlab/ci/train.yml",),
    ".github/workflows/verify.yml": (".gitlab/ci/verify.yml",),
    f"{_SOURCE}/data/validate_great_expectations.py": (f"{_SOURCE}/data/validate_pandera.py",),
    f"{_SOURCE}/models/track_dvclive.py": tuple(
        f"{_SOURCE}/models/track_{name}.py" for name in ("comet", "mlflow", "wandb")
    ),
    f"{_SOURCE}/serving/app.py": (f"{_SOURCE}/serving/worker.py",),
    "tests/integration/test_service.py": ("tests/integration/test_worker.py",),
    "tests/system/test_load.py": ("tests/system/test_batch_rollout.py",),
}


class Offer(Struct, frozen=True):
    """One file of the template: which practices it mends, its content, whether it exists."""

    path: str
    practices: tuple[str, ...]
    content: bytes
    exists: bool

    def diff(self) -> str:
        """The file as a unified diff against nothing."""
        try:
            lines = self.content.decode("utf-8").splitlines(keepends=True)
        except UnicodeDecodeError:
            return f"Binary file {self.path} would be written ({len(self.content)} bytes)\n"
        return "".join(difflib.unified_diff([], lines, "/dev/null", f"b/{self.path}"))


def offers(
    report: Report, folder: str, source: Source, wanted: Iterable[str] = ()
) -> tuple[Offer, ...]:
    """What the template has for the practices that fail or hold in part.

    Args:
        report: the audit of the folder.
        folder: the repository.
        source: where the template comes from.
        wanted: ids of practices; without any, those that block the next level.

    Raises:
        ScaffoldError: copier is missing or refuses.
    """
    chosen = set(wanted) or set(report.assessment.level.blocking)
    failing = [
        f
        for f in report.findings
        if f.practice.id in chosen
        and f.outcome in {Outcome.FAIL, Outcome.PARTIAL}
        and f.practice.fix.template
    ]
    if not failing:
        return ()
    root = Path(folder)
    answers = _answers(root, failing)
    package = answers["package_name"]
    with tempfile.TemporaryDirectory(prefix="mlops-audit-") as scratch:
        made = Path(scratch) / "project"
        make(str(made), source, answers)
        found: dict[str, list[str]] = {}
        for finding in failing:
            for name in finding.practice.fix.template:
                for path in _provided(made, name, package):
                    found.setdefault(path, []).append(finding.practice.id)
        return tuple(
            Offer(path, tuple(ids), (made / path).read_bytes(), (root / path).exists())
            for path, ids in sorted(found.items())
        )


def _provided(made: Path, name: str, package: str) -> list[str]:
    """What the generated project has of a named file or folder, or in its stead."""
    for names in ((name,), INSTEAD.get(name, ())):
        if found := [p for n in names for p in _files(made, n.replace(_PACKAGE, package))]:
            return found
    return []


def _files(made: Path, name: str) -> list[str]:
    """The generated file of that name, or the files of the folder."""
    place = made / name
    inside = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    return [p.relative_to(made).as_posix() for p in inside]


def write(folder: str, offered: Iterable[Offer]) -> tuple[str, ...]:
    """Write the offers whose file does not exist; gives the paths written.

    A file that appears in between is left as it is: it is opened for exclusive creation.
    """
    written: list[str] = []
    for offer in offered:
        target = Path(folder) / offer.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as handle:
                handle.write(offer.content)
        except FileExistsError:
            continue
        written.append(offer.path)
    return tuple(written)


def _answers(root: Path, failing: Iterable[Finding]) -> dict[str, str]:
    """The project's own answers where it has them; else its name, and the level that is asked."""
    known = _known(root / ANSWERS)
    asked = [a.level for f in failing for a in f.practice.asked[:1]]
    level = max([*asked, int(known.get("maturity_level", 1))])
    package = known.get("package_name") or _package(root)
    named = {"package_name": package, "project_name": package.replace("_", " ").title()}
    if level > 1 and (root / ".gitlab-ci.yml").is_file():
        named["ci"] = "gitlab"
    return {**named, **known, "maturity_level": str(level)}


def _known(path: Path) -> Mapping[str, str]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    known = data if isinstance(data, dict) else {}
    return {k: str(v) for k, v in known.items() if isinstance(k, str) and not k.startswith("_")}


def _package(root: Path) -> str:
    """The one package under src/, else the folder's name as a package."""
    inside = sorted(p.parent.name for p in (root / "src").glob("*/__init__.py"))
    name = inside[0] if len(inside) == 1 else root.resolve().name.lower()
    name = re.sub(r"[^a-z0-9]+", "_", name).strip("_")
    return name if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) else "project"
