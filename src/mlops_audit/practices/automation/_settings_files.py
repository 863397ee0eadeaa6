"""Settings that a training reads from files of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.practices.automation._options import (
    HYPER,
    Source,
    tunes,
)
from mlops_audit.regex import regex

__all__ = ["reads_file", "settings_files"]

_READS_FILE = regex(
    r"^(yaml\.|ruamel|toml|tomli|tomllib|omegaconf|hydra|dynaconf|box|gin|ml_collections|yacs|"
    r"confection|confuse|configparser|mmengine|mmcv|spacy|fvcore|dvc\.api|neuro_mf|strictyaml)"
)
_CLIENTS = frozenset({"requests", "httpx", "urllib", "urllib3", "aiohttp"})
_ANSWER = regex(r"\.(content|text|body|read\(\))|requests\.|urlopen\(|httpx\.")
_SETTINGS_NAME = regex(
    r"conf(ig)?|param|setting|hparam|hyper|options|\bargs\b|\bcfg\b", re.IGNORECASE
)
_FILES = regex(
    r"(^|/)[^/]*(conf|param|setting|hparam|hyper|options|main|train|model|experiment)[^/]*"
    r"\.(ya?ml|json|toml|ini|cfg|gin)$|(^|/)(conf|configs?|params|settings|hparams|experiments)/"
    r".*\.(ya?ml|json|toml|ini|cfg|gin)$",
    re.IGNORECASE,
)
_NOT_FILES = regex(
    r"(^|/)(\.|node_modules|charts?|k8s|kubernetes|terraform|infra|grafana|prometheus|mlruns|"
    r"data|docs)|(^|/)(mkdocs|docker|package|tsconfig|setup|tox|great_expectations|pyproject)|dvc\.",
    re.IGNORECASE,
)
_KEY = regex(r"""^[\s\-{]*["']?([A-Za-z_][\w.\-]{0,60})["']?\s*[:=]\s*(.{0,200})$""")
_AMOUNT = regex(r"""["']?(-?\d|true\b|false\b)""", re.IGNORECASE)
_MAX_FILES = 60


def reads_file(use: Use) -> bool:
    name = use.call.name if use.call else ""
    return bool(_READS_FILE.match(name))


def settings_files(
    project: Project, uses: list[Use], calls: list[tuple[Module, Call]], trained: Evidence
) -> Iterator[Source]:
    reads = [u.evidence() for u in uses if reads_file(u) and not _fetched(project, u)]
    for module, call in calls:
        if call.name == "json.load":
            line = module.flat(call.span)
            opened = (c.text for c in module.calls_within((line - 2, line)) if c.method == "open")
            around = " ".join([call.text, *call.targets, call.scope, *opened])
            if _SETTINGS_NAME.search(around):
                reads.append(Evidence(call.span, call.told))
    if not reads:
        return
    tuned = _tuning_file(project, _opened(project, reads))
    yield Source("places" if tuned is False else "file", reads[0], trained)


def _fetched(project: Project, use: Use) -> bool:
    """Whether what is parsed is the answer of a server: `yaml.safe_load(response.text)`."""
    if use.call is None or not use.call.args:
        return False
    module, text = project.modules[use.path], use.call.args[0].text
    if not module.roots & _CLIENTS:
        return False
    set_before = [
        a.value.text
        for a in module.assigns
        if a.scope == use.call.scope and text.split(".")[0] in a.targets
    ]
    return any(_ANSWER.search(t) for t in [text, *set_before[-1:]])


def _opened(project: Project, reads: list[Evidence]) -> list[str]:
    """The settings files that are read, where all of them are named where they are opened."""
    found: list[str] = []
    for read in reads:
        module = project.modules[read.span.path]
        line = module.flat(read.span)
        named = [
            value.literal
            for call in module.calls_within((line - 2, line))
            if call.method in {"open", "read_text"} and (value := call.arg(0, "file")) is not None
        ]
        places = [project.places.file(name, "") for name in named if isinstance(name, str)]
        if not any(places):
            return []
        found += [place for place in places if place]
    return found


def _tuning_file(project: Project, named: list[str]) -> bool | None:
    """Whether a settings file holds more than places; None when there is no file to look at."""
    files = named or [p for p in project.paths if _FILES.search(p) and not _NOT_FILES.search(p)]
    seen = False
    for path in files[:_MAX_FILES]:
        if (project.entry(path).size or 0) > 200_000:  # noqa: PLR2004 -- data, no settings
            continue
        for line in project.lines(path)[:2000]:
            found = _KEY.match(line)
            if found and not found[2].strip().startswith(("{", "[", "|", ">", "&")):
                seen = True
                if _tells(found[1], found[2].strip().rstrip(",")):
                    return True
    return False if seen else None


def _tells(name: str, value: str) -> bool:
    """Whether a line of settings is one of a training: by its name, or as a number or switch.

    Words under other names (`AUTHOR: somebody`, `LOG_LEVEL: INFO`) say nothing of a training.
    """
    if value in {"", '""', "''"}:
        return False
    return bool(HYPER.search(name)) or (tunes(name) and bool(_AMOUNT.match(value)))
