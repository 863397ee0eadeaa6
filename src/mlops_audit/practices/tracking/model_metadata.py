"""TRK07: what a model takes, gives and comes from is stored with it."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.hintedmodels import hinted_models
from mlops_audit.graph.sourcelines import declared_span, keyword_span
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._records import own_calls, records
from mlops_audit.practices.tracking._run_settings import checkpoints
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a signature, schema or input example, artifact annotations in dvc.yaml, registry tags, or a "
    "metadata file or block written with the model"
)
_META_FILE = regex(
    r"(meta_?data|model_?(info|meta|card|config|schema|spec|details)|feature_?(names|columns|list)|"
    r"class_?names|label_?map|signature)[\w\-]*\.(json|ya?ml|txt|pkl|toml)",
    re.IGNORECASE,
)
# In the very folder of a model, its settings are its metadata whatever they are called.
_SETTINGS = regex(r"/(hyper)?(param(eter)?s|hparams|args|config|settings|info)\.(json|ya?ml)$")
_META_NAME = regex(r"(^|_|\.)(meta_?data|model_?(info|meta|card|config))$", re.IGNORECASE)
_META_WORDS = frozenset(
    ["signatures", "signature", "input_example", "metadata", "custom_objects_metadata", "labels",
     "tags", "properties", "description", "explanation_metadata", "model_card",
     "customer_metadata_properties", "CustomerMetadataProperties", "model_metrics", "ModelMetrics"]
)  # fmt: skip
_SELF_WRITING = regex(
    r"(save_pretrained(_merged|_gguf)?|save_model|push_to_hub(_merged|_gguf)?|saved_model\.save|export_model|model\.save)$"
)
_OF_MODEL = regex(
    r"model|classifier|\bclf|class_?names|label_?map|signature|feature_?(names|columns|list)",
    re.IGNORECASE,
)
_OF_OTHERS = regex(
    r"(feature|view|pipeline|log|image|video|audio|sweep|data_?set|raw|file|table|user|workspace|"
    r"doc(ument)?|chunk|video|release)s?[_-]?[\w-]{0,20}meta|meta_?data[_-]?(feature|log|image|file)",
    re.IGNORECASE,
)
_POINTS = regex(r"(^|_)(run_?id|path|uri|url|name|experiment_?id)$", re.IGNORECASE)
# Pages and numbers that Kubeflow shows beside a step.
_SHOWN = "mlpipeline"
_NEAR = 12  # lines from where a file is opened to where it is written
_PATH = 200  # characters: longer texts are prose
_HANDLES = frozenset(
    {
        "model.save",
        "model.load",
        "model.push",
        "registry.register",
        "registry.load",
        "tracker.model",
    }
)  # fmt: skip
_REGISTERS = ("registry.register", "model.save", "tracker.model", "tracker.artifacts", "model.push")


@practice(
    id="TRK07",
    title="A model carries its signature or metadata",
    assets="model",
    level="4s",
    sources="S0 S3 S4",
    fix="Store columns, data version and metrics with the model, or log it with a signature.",
    template=("dvc.yaml",),
    needs=("training",),
)
def model_metadata(project: Project) -> Verdict:
    """Metadata that the project itself puts with a model."""
    found = [
        _given(project, u)
        for u in project.uses("model.signature", "registry.tag", "model.card", test=False)
        if is_called(project, u.path, u.scope)
    ]
    if not found and not project.roles.trains:
        return not_applicable("nothing trains")
    found += [*_annotations(project), *_keywords(project), *_files(project)]
    found += _examples(project)
    found += [
        Evidence(declared_span(project, f.span, p.name), f"{p.name}: {p.written}")
        for _, f, p in hinted_models(project)
    ]
    found += [e for e, _ in checkpoints(project)]
    if found:
        programs = [e for e in found if not e.span.path.endswith(".ipynb")]
        return passed("Metadata is stored with the model.", programs or found)
    written = [
        t.evidence
        for t in records(project, "tracker.model", "tracker.autolog")
        if "Processing" not in t.evidence.detail
    ]
    # What logs all but the model says nothing of it.
    written = [e for e in written if "log_models=False" not in e.detail] or written
    written += [
        Evidence(c.span, c.text)
        for m, c in own_calls(project)
        if c.text
        and _SELF_WRITING.search(f"{c.receiver}.{c.method}")
        and _own_format(c.name)
        and not project.index.targets(c, m.path)  # the project's own, whose calls tell
    ]
    if written:
        return partial("A model has only the metadata that its format writes by itself.", written)
    return failed("Nothing describes a model beside its weights.", looked_for=_LOOKED_FOR)


def _given(project: Project, use: Use) -> Evidence:
    """The keyword by which a call gets the metadata, else the call."""
    call = use.call
    key = next((k for k, _ in call.kwargs if k in _META_WORDS), "") if call else ""
    if call is None or not key:
        return use.evidence()
    value = call.kw(key)
    said = f"{call.method}({key}={value.text if value else ''})"
    return Evidence(keyword_span(project, call, key), " ".join(said.split()))


def _examples(project: Project) -> list[Evidence]:
    """Autologging that is asked to keep an input example beside each model."""
    return [
        Evidence(keyword_span(project, call, "log_input_examples"), "log_input_examples=True")
        for use in project.uses("tracker.autolog", test=False)
        if (call := use.call) is not None
        and (asked := call.kw("log_input_examples")) is not None
        and asked.literal is True
        and is_called(project, use.path, use.scope)
    ]


def _own_format(name: str) -> bool:
    return not name.startswith(("torch.", "joblib.", "pickle.", "numpy."))


def _annotations(project: Project) -> list[Evidence]:
    """Artifacts of dvc.yaml with a description, type or labels."""
    return [
        Evidence(a.span, f"artifact {a.labels[0] if a.labels else a.path}")
        for pipeline in project.dvc.pipelines
        for a in pipeline.artifacts
        if a.description or len(a.labels) > 1
    ]


def _keywords(project: Project) -> list[Evidence]:
    """Metadata that a call hands over when it saves, logs or registers a model."""
    found = []
    for use in project.uses(*_REGISTERS, test=False):
        call = use.call
        if call is None or not is_called(project, use.path, use.scope):
            continue
        if call.method.endswith("Logger"):
            continue  # its tags are those of the run
        model = use.capability != "tracker.artifacts" or "model" in call.text.lower()[:300]
        given = [k for k, v in call.kwargs if k in _META_WORDS and v.text not in {"None", "{}"}]
        if given and model:
            said = f"{call.method}({', '.join(given)})"
            found.append(Evidence(keyword_span(project, call, given[0]), said))
    for _, call in own_calls(project):
        if call.method == "save" and call.kw("signatures") is not None:
            found.append(Evidence(keyword_span(project, call, "signatures"), call.told))
    return found


def _files(project: Project) -> list[Evidence]:
    """Metadata files of models that the code writes or reads."""
    found = []
    with_models = project.roles.training | project.roles.serving
    for module in project.own_code:
        handles = module.path in with_models or any(
            u.capability in _HANDLES for u in project.uses_in(module.path)
        )
        found += [
            Evidence(text.span, text.value.strip())
            for text in module.texts
            if not text.doc
            and _names_metadata(text.value, handles=handles)
            and not _never_read(project, module, text.value)
        ]
        found += _beside_models(project, module) if handles else []
        for call in module.calls:
            dumps = call.method in {"dump", "write_text", "save_json"} and call.args
            told = f"{call.scope} {call.text[:200]}"
            if (
                dumps
                and not _is_shown(module, call)
                and not _only_points(module, call)
                and _META_NAME.search(call.args[0].text[:60])
                and (_OF_MODEL.search(told) or (handles and not _OF_OTHERS.search(told)))
            ):
                found.append(Evidence(call.span, call.told))
    return found


def _beside_models(project: Project, module: Module) -> list[Evidence]:
    """Settings that a program writes into the folder into which it saves a model."""
    folders = {
        value.literal.rpartition("/")[0]
        for use in project.uses_in(module.path)
        if use.capability == "model.save" and use.call is not None
        for value in (*use.call.args, *(v for _, v in use.call.kwargs))
        if isinstance(value.literal, str) and "/" in value.literal
    }
    return [
        Evidence(call.span, call.told)
        for call in module.calls
        if call.name == "open"
        and len(call.args) > 1
        and folders
        and isinstance(path := call.args[0].literal, str)
        and str(call.args[1].literal).startswith("w")
        and _SETTINGS.search(path)
        and path.rpartition("/")[0] in folders
    ]


def _never_read(project: Project, module: Module, text: str) -> bool:
    """Whether a text is a module's constant that no code reads."""
    name = next(
        (
            n
            for n, v in module.constants.items()
            if isinstance(v.literal, str) and v.literal == text
        ),
        "",
    )
    if not name:
        return False
    used = re.compile(rf"\b{re.escape(name)}\b")
    return not any(
        len(used.findall(project.text(m.path) or "")) > (m is module)
        for m in project.modules.values()
    )


def _only_points(module: Module, call: Call) -> bool:
    """Whether what is written only says where a model lies: `{"run_id": …, "model_path": …}`."""
    name = call.args[0].text
    given = [a.value.keys for a in module.assigns if name in a.targets and a.scope == call.scope]
    return bool(given) and all(keys and all(_POINTS.search(k) for k in keys) for keys in given)


def _is_shown(module: Module, call: Call) -> bool:
    """Whether a call writes a file that the pages of Kubeflow show, which goes with no model."""
    line = module.flat(call.span)
    told = [*call.targets, *(v.text for v in call.args)]
    told += [
        other.text
        for other in module.calls
        if other.scope == call.scope and 0 <= line - module.flat(other.span) <= _NEAR
    ]
    return any(_SHOWN in text for text in told)


def _names_metadata(text: str, *, handles: bool) -> bool:
    """Whether a text is the path of a file that describes a model, not data or a workspace."""
    last = text.strip().rsplit("/", 1)[-1]
    if len(text) >= _PATH or not _META_FILE.search(last) or re.search(r"\s", last):
        return False
    return bool(_OF_MODEL.search(last)) or (handles and not _OF_OTHERS.search(last))
