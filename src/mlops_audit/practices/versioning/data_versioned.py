"""VER02: each version of the data can be named and got back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.graph.buckets import versioned_buckets
from mlops_audit.graph.datasets import committed_data, dvc_data, lfs_data, sources
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.graph.stores import (
    EVALUATION_SETS,
    aside,
    data_artifacts,
    demonstrated,
    live,
    platform_steps,
)
from mlops_audit.graph.uses import Use
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    failed,
    hollow,
    not_applicable,
    partial,
    passed,
)
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "data tracked by DVC, LFS, a lake, a tracker's data versions, a platform, a feature store,"
    " or a hub data set pinned to a revision"
)
# An artifact that is used may be a model to go on with.
_OF_A_MODEL = regex(r"use_artifact\(.*(model|state|checkpoint|ckpt|weights)", re.IGNORECASE)
_HUB = "Data sets of libraries and hubs"  # names a version, keeps none
_TABLES = frozenset(["load", "table", "save", "saveAsTable", "toTable", "start", "writeTo"])
_KEEPS_VERSIONS = regex(
    r"format\(\s*['\"](delta|iceberg|hudi)['\"]|option\(\s*['\"](versionAsOf|timestampAsOf)['\"]"
)
_TIME_TRAVEL = regex(r"\b(VERSION|TIMESTAMP) AS OF\b|\bUSING (DELTA|ICEBERG)\b", re.IGNORECASE)
_AZURE = "Azure Machine Learning"
_HF = "Hugging Face Datasets"


@practice(
    id="VER02",
    title="The data is versioned",
    assets="data",
    level="1M~",
    sources="S0 S2 S3 S4",
    fix="Track the raw data with DVC (`dvc add data/raw`) or Git LFS and commit the pointer.",
    template=(
        "dvc.yaml",
        "dvc.lock",
        "src/<package>/registry/versions.py",
    ),
    needs=("application",),
)
def data_versioned(project: Project) -> Verdict:
    """Judge what keeps versions of data, the strongest first."""
    strong = _versions(project)
    if strong:
        return passed("the data is versioned", strong[:6])
    weak = _in_part(project)
    if weak:
        how = weak[0].detail.partition(": ")[0]
        return partial(f"the data is versioned in part: {how}", weak[:6])
    addresses = [e for _, e in sources(project)]
    if project.roles.kind in {"none", "library"} or not (project.roles.trains or addresses):
        return not_applicable("no data set belongs to this project")
    if project.dvc.used:
        empty = [Evidence(c.remotes[0].span if c.remotes else _start(c.path), "DVC set up")
                 for c in project.dvc.configs]  # fmt: skip
        empty += [Evidence(s.span, f"stage {s.name}, never recorded")
                  for p in project.dvc.pipelines for s in p.stages if s.outs][:3]  # fmt: skip
        if empty:
            return hollow("DVC is set up and tracks no data", empty[:3], looked_for=_LOOKED_FOR)
    downloads = [u.evidence() for u in live(project, "data.download", "data.version.latest")]
    return failed(
        "data is fetched without a version" if addresses or downloads else "no data is versioned",
        looked_for=_LOOKED_FOR,
        evidence=(addresses + downloads)[:5],
    )


def _start(path: str) -> Span:
    return Span(path, 1)


def _versions(project: Project) -> list[Evidence]:
    """What meets the catalogue in full."""
    found = dvc_data(project) + lfs_data(project)
    for use in live(project, "data.version", "data.version.pinned", "feature.store"):
        if not _weak(use) and not aside(project, use) and use.where != "file":
            found.append(use.evidence())
    found += platform_steps(project) + _tables(project)
    return found + [use.evidence() for use in data_artifacts(project)]


def _tables(project: Project) -> list[Evidence]:
    """Tables of a format that keeps each version, and reads of one by its version or time."""
    return [
        Evidence(call.span, call.told)
        for module in project.source
        for call in module.calls
        if (call.method in _TABLES and _KEEPS_VERSIONS.search(call.text))
        or (call.method == "sql" and _TIME_TRAVEL.search(call.text))
    ]


def _weak(use: Use) -> bool:
    """Whether a use only points to data that something else may change."""
    if use.tool == _HUB or use.tool in EVALUATION_SETS:
        return True
    if use.call is not None and use.call.method == "register_on_complete":
        return False  # each run of a pipeline writes to a place of its own
    if use.tool == _AZURE:
        version = use.call.kw("version") if use.call else None
        return version is None or not (
            version.is_literal and str(version.literal).lower() != "latest"
        )
    return use.tool == _HF and use.capability == "data.version.latest"


def _in_part(project: Project) -> list[Evidence]:
    """What meets the catalogue in part."""
    found: list[Evidence] = []
    pointers = live(project, "data.version", "data.version.pinned", "feature.store")
    found += [
        Evidence(u.span, f"a version that points to data kept elsewhere: {u.detail}")
        for u in pointers
        if u.where != "file" and not demonstrated(project, u)
    ]
    found += [
        Evidence(u.span, f"read at the latest version: {u.detail}")
        for u in live(project, "data.version.latest")
        if u.tool != _HF
    ]
    found += [Evidence(u.span, f"a recorded digest or input: {u.detail}")
              for u in live(project, "tracker.input")
              if not _OF_A_MODEL.search(u.detail)]  # fmt: skip
    found += [Evidence(e.span, f"data in plain git: {e.detail}") for e in committed_data(project)]
    found += versioned_buckets(project)
    found += [Evidence(e.span, f"a {kind} source: {e.detail}")
              for kind, e in sources(project) if kind in {"dated", "versioned"}]  # fmt: skip
    return [*found, *_checksums(project), *_recorded(project)]


_OF_DATA = regex(r"data_?(set)?_?(version|hash|md5|sha\d*|digest|snapshot)(_id)?", re.IGNORECASE)


def _recorded(project: Project) -> Iterator[Evidence]:
    """Versions or digests of the data that code computes and notes with the run."""
    for module in project.own_code:
        for call in module.calls:
            if call.method not in {"log_param", "set_tag"} or "mlflow" not in module.roots:
                continue
            key, value = call.arg(0, "key"), call.arg(1, "value")
            named = key is not None and _OF_DATA.fullmatch(str(key.literal))
            if named and value is not None and not value.is_literal:
                yield Evidence(call.span, f"a recorded version of the data: {call.told}")


_ADDRESS = regex(r"https?://\S+/\S+\.\w+$")
_WEIGHTS = regex(r"\.(pth?|ckpt|h5|hdf5|keras|onnx|safetensors|gguf|tflite)$", re.IGNORECASE)
_DIGESTS = frozenset({"file_hash", "md5_hash", "known_hash", "sha256", "md5"})


def _checksums(project: Project) -> list[Evidence]:
    """Downloads whose bytes are compared with a known digest."""
    found = []
    for module in project.own_code:
        addresses = [t.value for t in module.texts if not t.doc and _ADDRESS.match(t.value)]
        if addresses and all(_WEIGHTS.search(a) for a in addresses):
            continue  # what is fetched is a model
        fetches = [
            c
            for c in module.calls
            if re.search(r"urlretrieve|get_file|requests\.get|urlopen|download", c.name)
        ]
        digests = {c.scope: c for c in module.calls if c.name.startswith("hashlib.")}
        for call in fetches:
            key = next((k for k, _ in call.kwargs if k in _DIGESTS), "")
            if key:
                place = keyword_span(project, call, key)
                found.append(Evidence(place, f"a download with a checksum: {call.told}"))
            elif (digest := digests.get(call.scope)) is not None:
                # The digest is what is seen of it; the download leads there.
                hop = Evidence(call.span, call.told)
                told = f"the checksum of a download: {digest.told}"
                found.append(Evidence(digest.span, told, (hop,)))
    return list({e.span: e for e in found}.values())
