"""Takes a practice's template files out of a project, and says which verdicts may then move.

A practice *depends* on a file when

* it names the file in `template=`, or its evidence or the chain to it stands there;
* a build file, workflow or lock among those mentions the file or its module (`dvc.lock` records
  hashes, so it mentions everything that the pipeline reads and writes);
* code among those imports the file, directly or not; a test also depends on the `conftest.py`
  above it (a test whose imports are gone tests nothing);
* code of the package imports what stands there: what nothing calls any more counts no more.

Where the roles of the project went with the files, practices that need the role may become
not applicable.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from mlops_audit import open_tree
from mlops_audit.audit import Request, audit
from mlops_audit.config import Config
from mlops_audit.model import Finding, Practice, Report
from mlops_audit.tree import GitInfo, MemoryTree

PACKAGE = "demand_forecast"
# A folder's layout is told by where files stand, and an empty file stands there still.
REMOVED = {"STR01"}

Files = Mapping[str, bytes]


def files_of(project: Path) -> dict[str, bytes]:
    """The content of every file that the audit looks at."""
    tree = open_tree(str(project))
    contents = {path: tree.read(path) for path, e in tree.entries.items() if e.kind == "file"}
    return {path: text for path, text in contents.items() if isinstance(text, bytes)}


def judged(files: Files, *practices: Practice) -> Report:
    """The audit of files in memory, of some practices or of all."""
    git = GitInfo(commit="0" * 40, branches=("main",), default_branch="main")
    request = Request(practices=practices or None)
    return audit(MemoryTree(files, git=git), Config(), request=request)


@dataclass(frozen=True)
class Project:
    """The files of a project, and what they have to do with each other."""

    files: Files

    def named(self, practice: Practice) -> set[str]:
        """The files that a practice names, those of a named folder included."""
        names = [n.replace("<package>", PACKAGE).rstrip("/") for n in practice.fix.template]
        return {p for p in self.files for n in names if p == n or p.startswith(f"{n}/")}

    def taken(self, practice: Practice) -> set[str]:
        """What is blanked: the named files, and what the pipeline writes only with their help."""
        gone = self.named(practice)
        pipeline = yaml.safe_load(self.files["dvc.yaml"])["stages"]
        for stage in pipeline.values():
            if gone & {"dvc.yaml", *stage.get("deps", ())}:
                outs = [*stage.get("outs", ()), *stage.get("metrics", ())]
                paths = [out if isinstance(out, str) else next(iter(out)) for out in outs]
                gone |= {f for f in self.files for p in paths if f == p or f.startswith(f"{p}/")}
        return gone

    def without(self, practice: Practice) -> dict[str, bytes]:
        """The project with a practice's files blanked, or removed where only that tells."""
        gone = self.taken(practice)
        if practice.id in REMOVED:
            return {path: text for path, text in self.files.items() if path not in gone}
        return {path: b"" if path in gone else text for path, text in self.files.items()}

    def dependencies(self, finding: Finding) -> set[str]:
        """The files on which a practice's verdict depends (see above)."""
        evidence = finding.verdict.evidence
        start = {item.span.path for e in evidence for item in (e, *e.chain)}
        start |= self.named(finding.practice)
        start |= {path for name in start for path in self._mentioned.get(name, ())}
        return self._closed(start, self._imports) | self._closed(start, self._importers)

    @staticmethod
    def _closed(start: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
        found, waiting = set(start), list(start)
        while waiting:
            new = edges.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    @cached_property
    def _modules(self) -> dict[str, str]:
        """The path of each module of the project, by its dotted name."""
        names = {p.removesuffix("/__init__.py").removesuffix(".py"): p for p in self.files
                 if p.endswith(".py")}  # fmt: skip
        return {n.removeprefix("src/").replace("/", "."): path for n, path in names.items()}

    @cached_property
    def _imports(self) -> dict[str, set[str]]:
        """The files that each Python file imports, and the set-up of each test."""
        found: dict[str, set[str]] = {}
        for path in self._modules.values():
            names: set[str] = set()
            for node in ast.walk(ast.parse(self.files[path])):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
            found[path] = {self._modules[name] for name in names if name in self._modules}
            if path.startswith("tests/"):
                above = [f"{folder}/conftest.py" for folder in Path(path).parents]
                found[path] |= {name for name in above if name in self.files} - {path}
        return found

    @cached_property
    def _importers(self) -> dict[str, set[str]]:
        """The files of the package that import each of its files."""
        found: dict[str, set[str]] = {}
        for path, imported in self._imports.items():
            for name in imported if path.startswith("src/") else ():
                found.setdefault(name, set()).add(path)
        return found

    @cached_property
    def _mentioned(self) -> dict[str, set[str]]:
        """The files whose path or module a build file, workflow or lock mentions."""
        modules = {path: name for name, path in self._modules.items()}
        found: dict[str, set[str]] = {}
        for path, content in self.files.items():
            if Path(path).suffix in {".yaml", ".yml", ".lock", ".toml"} or path == "Makefile":
                text = content.decode()
                found[path] = {
                    other
                    for other in self.files
                    if other in text or (other in modules and f"-m {modules[other]}\n" in text)
                }
        return found
