"""REP10: the raw data can be got back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.graph.buckets import versioned_buckets
from mlops_audit.graph.datasets import committed_data, dvc_data, lfs_data, sources
from mlops_audit.graph.stores import features_stay_here, hosted, live, platform_steps
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = "raw data in git, a remote that holds it, or a public copy at a fixed address"
_PUBLIC = regex(
    r"kaggle\.com/(?:datasets|competitions|c|\w[\w-]*/[\w-]+)|archive\.ics\.uci\.edu|openml\.org|zenodo\.org/(?!badge)|"
    r"figshare\.com|huggingface\.co/datasets|data\.world|drive\.google\.com|dropbox\.com|physionet\.org|"
    r"bigquery-public-data|registry\.opendata\.aws|\.(?:csv|zip|tar\.gz|tgz|parquet)\b",
    re.IGNORECASE,
)
_PATHS = regex(r"path|dir|folder|file", re.IGNORECASE)
_DATA = regex(r"data|corpus|kaggle|\.(csv|parquet|jsonl?|npz|feather)\b", re.IGNORECASE)
_CODE = regex(r"github\.com/[^/]+/[^/]+/(archive|zipball|tarball)/")  # a program, zipped
# Releases and archives of programs, weights, messages, hosts alone, what a model predicted.
_NO_DATA = regex(
    r"/releases/(latest/)?download/|_(amd64|x86_64|linux)\b|weights|[-_]app\b|/code\.zip|"
    r"/(\w+_)?(models?|checkpoints?|static)/|predictions?\.\w+$|to_predict|[-_]profile\.json|lemmas|"
    r"kaggle\.com/(me|account|docs)\b|google\.com/?$|^[A-Z][a-z]* [a-z]\w*[ .]",
    re.IGNORECASE,
)
_OF_MODEL = regex(r"(^|[^a-z])(models?|artifacts?|checkpoints?|weights)([^a-z]|$)", re.IGNORECASE)
_COPIES = regex(
    r"(aws s3|gsutil|gcloud storage|mc|rclone|azcopy)\s+(-\w+\s+){0,3}(cp|sync|mirror|copy|rsync)\b"
)
_COPIED = 3  # what to do, from where, where to
# Data sets inside of the package itself.
_BUNDLED = regex(
    r"sklearn\.datasets\.load_(iris|digits|diabetes|wine|breast_cancer|linnerud|boston)"
)
_LINK = regex(r"https?://[^\s)\]>\"']{5,300}|bigquery-public-data[\w.:-]*")
# Tables, buckets and folders that a cloud keeps for all.
_PUBLIC_STORE = regex(
    r"bigquery-public-data|s3[an]?://(nyc-tlc|sagemaker-sample-(files|data[\w-]*)|commoncrawl)/|"
    r"gs://cloud-samples-data/|^(dbfs:)?/databricks-datasets/"
)
# What a finished model is tried on, asked for or compared with, and lists of what to fetch.
_OTHER_USE = regex(
    r"(^|[/._-])(test(ing|_?set)?|valid(ation)?|val|smoke_?test|eval(uation)?|samples?|inference|"
    r"reference|targets?|actuals|requests?|payloads?|production|scoring|tickers|symbols|url_?list|(class|label)_names|"
    r"(class|label|category)_?maps?|stop_?words|lookup|catalog(ue)?|images_to_\w+|deploy(ment)?s?|"
    r"(\w+_)?pred(iction)?s)(?=[/._-])|(^|/)(evidently\w*|(model_?)?monitor(ing)?(_service)?)/",
    re.IGNORECASE,
)


@practice(
    id="REP10",
    title="The raw data can be got back",
    assets="data",
    level="4s",
    sources="S2 S4",
    fix="Push the raw data to a shared remote, or write the fixed address of its public copy down.",
    template=(".dvc/config", "data/external"),
    needs=("application",),
    attestable=True,
)
def data_backed_up(project: Project) -> Verdict:
    """Judge the copies of the raw data, the surest first."""
    plain = sorted(committed_data(project), key=_has_other_use)
    if plain and not _has_other_use(plain[0]):
        return passed("the raw data is in git itself", plain[:5])
    remotes = [Evidence(r.span, f"DVC remote {r.name}: {r.url}") for r in project.dvc.remotes]
    tracked = dvc_data(project)
    if remotes and tracked:
        return partial("a remote is configured, not checked", [*remotes, *tracked[:1]])
    if large := lfs_data(project):
        return partial("the data lies on an LFS server, not checked", large[:5])
    here = features_stay_here(project)
    stored = [
        u.evidence()
        for u in live(project, "data.version", "feature.store")
        if u.where != "file" and u.tool != "DVC pipelines" and not (here and u.tool == "Feast")
    ]
    if stored:
        return partial("the data lies in a versioned store, not checked", stored[:5])
    public = [e for _, e in sources(project)] + list(_linked(project))
    public += [
        u.evidence()
        for u in live(project, "data.download", "data.version.pinned", "data.version.latest")
        if not (_fetches_a_tool(project, u) or _anywhere(u) or _brings_a_model(project, u))
    ]
    if public:
        raw = [e for e in public if not _NO_DATA.search(e.detail)] or public
        return partial("a public copy stands at a fixed address, not checked", raw[:5])
    if fetched := list(_fetched(project)):
        return partial("the data lies in an object store, not checked", fetched[:5])
    if buckets := versioned_buckets(project):
        return partial("a bucket that keeps versions is there for the data", buckets[:5])
    if (steps := platform_steps(project)) and (cloud := hosted(project)):
        return partial(
            "what the steps write goes to a cloud store, not checked", [cloud, *steps[:2]]
        )
    if project.roles.trains and (bundled := list(_bundled(project))):
        return partial("the data comes with a public package, not checked", bundled[:5])
    if not project.roles.trains:
        return not_applicable("no data set belongs to this project")
    return failed("nothing says where the raw data can be got back", looked_for=_LOOKED_FOR)


def _bundled(project: Project) -> Iterator[Evidence]:
    """Data sets that scikit-learn itself holds, loaded where something is trained or prepared."""
    for module in project.own_code:
        if module.notebook or project.is_example(module.path) or _OTHER_USE.search(module.path):
            continue
        for call in module.calls:
            if _BUNDLED.fullmatch(call.name):
                yield Evidence(call.span, call.told)


def _has_other_use(evidence: Evidence) -> bool:
    """Whether a file is none of those that a model learns from."""
    return bool(_OTHER_USE.search(evidence.span.path))


def _fetches_a_tool(project: Project, use: Use) -> bool:
    """Whether a command of CI or of an image downloads a program rather than data."""
    ci = {w.path for w in project.workflows} | {f.path for f in project.containers.dockerfiles}
    return use.where == "command" and use.path in ci and not _DATA.search(use.detail)


def _brings_a_model(project: Project, use: Use) -> bool:
    """Whether a function downloads a finished model, by its name or by where the file goes."""
    if use.call is None or use.capability != "data.download":
        return False
    given = {v.text for v in use.call.args}
    targets = [
        a.value.text
        for a in project.modules[use.path].assigns_by_scope.get(use.scope, ())
        if given & set(a.targets)
    ]
    return any(_OF_MODEL.search(text) for text in (use.scope, *given, *targets))


def _fetched(project: Project) -> Iterator[Evidence]:
    """Commands that copy data from an object store to the machine that trains."""
    for command, _ in project.all_commands:
        found = _COPIES.match(command.text)
        words = [w for w in command.argv[1:] if not w.startswith("-")]
        if found is None or len(words) < _COPIED:
            continue
        source, target = words[-2:]
        # `mc` and `rclone` name a store by an alias: `store/bucket/folder`, `store:bucket`.
        named = found[1] in {"mc", "rclone"} and not source.startswith((".", "/", "~"))
        if (named or "://" in source) and "://" not in target and _DATA.search(command.text):
            yield Evidence(command.span, command.text)


def _anywhere(use: Use) -> bool:
    """Whether a call loads what a path or argument names, which may be a folder of one machine."""
    hub = use.call is not None and use.call.method == "load_dataset"
    first = use.call.arg(0, "path") if use.call is not None and hub else None
    return first is not None and not first.is_literal and bool(_PATHS.search(first.text))


def _linked(project: Project) -> Iterator[Evidence]:
    """Links to data sets in documents, and names of public tables and buckets in code."""
    for path in project.glob(
        "*.md", "*.rst", "*.txt", "data/**/*.md", "docs/**/*.md", "**/README*"
    ):
        for number, line in enumerate(project.lines(path), 1):
            if "zenodo.org/badge" in line:
                continue  # the program's own address
            for link in _LINK.findall(line):
                if _PUBLIC.search(link) and not _CODE.search(link):
                    yield Evidence(Span(path, number), link)
    for module in project.own_code:
        for text in module.texts:
            if _PUBLIC_STORE.search(text.value):
                yield Evidence(text.span, text.value)
