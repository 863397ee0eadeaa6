"""By what a configuration file is known: its path, or where the path does not tell, its content.

The signs stand apart from the readers, so that only the readers of systems that a repository
really uses are imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CI", "INFRASTRUCTURE", "SNIFFED", "WORKFLOW", "Signs", "looks_like", "named"]

# Only these can hold a pipeline or resources whose path does not tell.
SNIFFED = (".yml", ".yaml", ".json", ".template")


WORKFLOW = r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml"  # of GitHub, in any folder

# Compiled when first asked for: a pattern of each kind, of which a repository needs few.
_path = cache(re.compile)
_content = cache(re.compile)


@dataclass(frozen=True, slots=True)
class Signs:
    """A pattern of whole paths, and patterns that must all be found in the content."""

    path: str = ""
    content: tuple[bytes, ...] = ()
    any_case: bool = False

    def named(self, path: str) -> bool:
        """Whether the path alone says so."""
        case = re.IGNORECASE if self.any_case else 0
        return bool(self.path) and _path(self.path, case).fullmatch(path) is not None

    def looks(self, data: bytes) -> bool:
        """Whether the content says so."""
        found = (_content(pattern, re.MULTILINE).search(data) for pattern in self.content)
        return bool(self.content) and all(found)


def _kubernetes(api: bytes, kind: bytes = rb"") -> tuple[bytes, ...]:
    return (
        rb"^[ \t]*apiVersion[ \t]*:[ \t]*['\"]?" + api,
        *((rb"^[ \t]*kind[ \t]*:[ \t]*['\"]?" + kind,) if kind else ()),
    )


_TEMPLATE = (
    rb"^[ \t{]*[\"']?Resources[\"']?[ \t]*:",
    rb"AWSTemplateFormatVersion|AWS::Serverless-2016|[\"']?Type[\"']?[ \t]*:[ \t]*[\"']?AWS::",
)

# In the order in which they are asked. The reader of a system is `read_<system>` in the module
# of its name.
CI: Mapping[str, Signs] = {
    # A workflow, or what may be a composite action.
    "github": Signs(rf"{WORKFLOW}|(?:.*/)?action\.ya?ml"),
    # What a pipeline includes is read through it.
    "gitlab": Signs(r"(?:.*/)?\.gitlab-ci\.ya?ml"),
    "azure": Signs(
        r"(?:.*/)?\.?azure[-_]?pipelines?[^/]*\.ya?ml",
        (
            rb"^(?:trigger|pr|schedules|stages|jobs|steps|pool|extends)[ \t]*:",
            (
                rb"^[ \t]*-[ \t]+(?:task:[ \t]*['\"]?[\w.\-]+@\d|(?:script|bash|pwsh|powershell"
                rb"|stage|job|deployment|template)[ \t]*:)|^[ \t]+template:[ \t]*\S+\.ya?ml"
            ),
        ),
        any_case=True,
    ),
    "circleci": Signs(r"(?:.*/)?\.circleci/[^/]+\.ya?ml"),
    "jenkins": Signs(
        r"(?:.*/)?(?:jenkinsfile[^/]*|[^/]+\.jenkinsfile|[^/]*jenkins[^/]*\.groovy)",
        any_case=True,
    ),
    "travis": Signs(r"(?:.*/)?\.travis\.yml"),
    "bitbucket": Signs(r"(?:.*/)?bitbucket-pipelines\.yml"),
    "drone": Signs(r"\.drone\.ya?ml|\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml"),
    "buildkite": Signs(r"(?:.*/)?\.buildkite/(?:.*/)?[^/]*pipeline[^/]*\.ya?ml"),
    "cloudbuild": Signs(
        r"(?:.*/)?[^/]*cloud-?_?build(?:[^/]*/)?[^/]*\.(?:ya?ml|json)",
        (
            rb"^\"?steps\"?[ \t]*:|^[ \t]*\"steps\"[ \t]*:",
            (
                rb"\bname\"?[ \t]*:[ \t]*['\"]?(?:[\w.\-]*gcr\.io/|[\w.\-]+docker\.pkg\.dev/)"
                rb"|^[ \t]*\"?waitFor\"?[ \t]*:"
            ),
        ),
        any_case=True,
    ),
    "codebuild": Signs(
        r"(?:.*/)?[^/]*build-?_?spec[^/]*\.ya?ml",
        (rb"^phases[ \t]*:", rb"^version[ \t]*:[ \t]*['\"]?0\.[12]"),
        any_case=True,
    ),
    "codepipeline": Signs(
        content=(rb"AWS::Code(?:Pipeline::Pipeline|Build::Project)\b", *_TEMPLATE)
    ),
    "tekton": Signs(content=_kubernetes(rb"tekton\.dev/")),
    "cloudtriggers": Signs(r".*\.tf(?:\.json)?"),
    "argo": Signs(
        content=_kubernetes(
            rb"argoproj\.io/", rb"(?:Cron|Cluster)?(?:Workflow(?:Template)?|Sensor)\b"
        )
    ),
}
INFRASTRUCTURE: Mapping[str, Signs] = {
    "terraform": Signs(r".*\.tf(?:\.json)?"),
    "cloudformation": Signs(content=_TEMPLATE),
    "arm": Signs(r".*\.bicep", (rb"/deploymentTemplate\.json",)),
    "kubernetes": Signs(
        content=(
            rb"^[ \t]*[\"']?kind[\"']?[ \t]*:",
            rb"^[ \t]*[\"']?apiVersion[\"']?[ \t]*:",
        )
    ),
    # Whether a chart is there must be asked too.
    "helm_values": Signs(r"(?:.*/)?[^/]*values[^/]*\.ya?ml"),
}


def _signs(system: str) -> Signs:
    return CI[system] if system in CI else INFRASTRUCTURE[system]


def named(system: str, path: str) -> bool:
    """Whether a path alone says that the file is this system's."""
    return _signs(system).named(path)


def looks_like(system: str, data: bytes) -> bool:
    """Whether a content says that the file is, or may be, this system's."""
    return _signs(system).looks(data)
