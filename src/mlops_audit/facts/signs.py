"""By what a configuration file is known: its path, or where the path does not tell, its content.

The signs of a CI system stand at its reader, in the package `ci`; those of infrastructure stand
here, apart from the readers, so that only readers of what a repository really holds are imported.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INFRASTRUCTURE", "SNIFFED", "TEMPLATE", "Signs", "manifest", "named"]

# Only these can hold a pipeline or resources whose path does not tell.
SNIFFED = (".yml", ".yaml", ".json", ".template")


# Compiled when first asked for: a pattern of each kind, of which a repository needs few.
_path = cache(re.compile)
_content = cache(re.compile)


class Signs(Struct, frozen=True):
    """A pattern of whole paths, and patterns that must all be found in the content.

    `loose` says that the path is one which people make up: it is met in any case, and asked after
    those that a system prescribes.
    """

    path: str = ""
    content: tuple[bytes, ...] = ()
    loose: bool = False

    def named(self, path: str) -> bool:
        """Whether the path alone says so."""
        case = re.IGNORECASE if self.loose else 0
        return bool(self.path) and _path(self.path, case).fullmatch(path) is not None

    def looks(self, data: bytes) -> bool:
        """Whether the content says so."""
        found = (_content(pattern, re.MULTILINE).search(data) for pattern in self.content)
        return bool(self.content) and all(found)


def manifest(api: bytes, kind: bytes = rb"") -> tuple[bytes, ...]:
    """The signs of a manifest of Kubernetes with this `apiVersion` and `kind`, as patterns."""
    return (
        rb"^[ \t]*apiVersion[ \t]*:[ \t]*['\"]?" + api,
        *((rb"^[ \t]*kind[ \t]*:[ \t]*['\"]?" + kind,) if kind else ()),
    )


TEMPLATE = (
    rb"^[ \t{]*[\"']?Resources[\"']?[ \t]*:",
    rb"AWSTemplateFormatVersion|AWS::Serverless-2016|[\"']?Type[\"']?[ \t]*:[ \t]*[\"']?AWS::",
)

INFRASTRUCTURE: Mapping[str, Signs] = {
    "terraform": Signs(r".*\.tf(?:\.json)?"),
    "cloudformation": Signs(content=TEMPLATE),
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


def named(system: str, path: str) -> bool:
    """Whether a path alone says that a file is infrastructure of this kind."""
    return INFRASTRUCTURE[system].named(path)
