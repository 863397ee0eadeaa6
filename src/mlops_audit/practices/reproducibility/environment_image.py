"""REP03: the environment in which training or serving runs is code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath

from mlops_audit.facts.databricks import starts_cluster
from mlops_audit.facts.docker import DeployFile
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.graph import Project
from mlops_audit.graph.cloudpipelines import cloud_steps
from mlops_audit.graph.settings import setting
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.model import Evidence, Span, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.reproducibility._environments import is_model_folder
from mlops_audit.practices.reproducibility._images import SPARK_RUNTIME, images, is_pinned
from mlops_audit.regex import regex

_LOOKED_FOR = "a Dockerfile, dev container, Nix, conda-lock, Apptainer or VM image with an install"
_SELF_CONTAINED = frozenset({"nix", "devbox", "packer", "vagrant", "cog", "truss"})
_CONDA_FILE = regex(r"\.ya?ml$")
_INSTALL = regex(
    r"pip3?\s+install|uv\s+(sync|pip)|poetry\s+install|conda|mamba|make\s+\w|pdm|npm|\.sh\b"
)
_LIST = regex(r"(?:\s-r|--requirement)[\s=]*[\"']?([\w./${}\-]{1,120})")
_PIP = regex(r"\bpip3?\s+install\b|\buv\s+pip\b")
# What installs packages beside a runtime of Databricks.
_WHEEL = regex(r"[\"']?libraries[\"']?\s*:|python_wheel_task|\.whl\b")
# An image of Amazon's own for a framework, by its version.
_OF_PLATFORM = regex(
    r"/(sagemaker-(scikit-learn|xgboost|spark\w*)|(pytorch|tensorflow|huggingface|mxnet)[\w-]{0,40}):\d"
)
_MOST = 0.5  # of the declared packages that a command must name to install them without a list


@practice(
    id="REP03",
    title="The environment is an image or environment as code",
    assets="code",
    level="3s",
    sources="S1 S4",
    fix="Write a Dockerfile with a pinned base that installs the lock and copies the code.",
    template=("Dockerfile",),
)
def environment_image(project: Project) -> Verdict:
    """Judge images first, then what stands in for one."""
    whole: list[Evidence] = []
    part: list[tuple[str, Evidence]] = []
    for image in images(project):
        if not image.of_project and image.installs:
            if "/.devcontainer/" in f"/{image.path}":
                part.append(("it installs tools, not the dependencies", image.evidence[0]))
            continue  # the image of a tracker, database or dashboard
        if image.why:
            part.append((image.why, image.evidence[0]))
        else:
            whole += image.evidence
    for why, place in (*_platforms(project), *_clusters(project), *_of_azure(project)):
        if why:
            part.append((why, place))
        else:
            whole.append(place)
    whole += [
        Evidence(lock.span, f"{lock.kind} lock")
        for lock in project.dependencies.locks
        if lock.kind in {"conda-lock", "pixi"}
    ]
    if whole:
        return passed("an image as code installs the project's dependencies", whole[:6])
    if part:
        return partial(f"there is an image, but {part[0][0]}", [e for _, e in part[:4]])
    conda = [
        Evidence(Span(r.file), "a conda environment file")
        for r in project.dependencies.requirements
        if _CONDA_FILE.search(r.file) and not is_model_folder(project, r.file)
    ]
    conda += [
        Evidence(Span(p.span.path), "a conda environment file")
        for p in project.dependencies.pythons
        if _CONDA_FILE.search(p.span.path) and not is_model_folder(project, p.span.path)
    ]
    if conda:
        return partial(
            "a conda environment file, no image", list({e.span.path: e for e in conda}.values())[:3]
        )
    if managed := list(_managed(project)):
        said = (
            "training runs in its platform's own image of a fixed version, which installs nothing"
        )
        return partial(said, managed[:3])
    return failed("no image or environment as code", looked_for=_LOOKED_FOR)


def _managed(project: Project) -> Iterator[Evidence]:
    """Jobs of SageMaker that name the version of the platform's image that they run in."""
    for module in project.own_code:
        if module.notebook or "sagemaker" not in module.roots:
            continue
        for call in module.calls:
            key = "version" if call.name.endswith("image_uris.retrieve") else "framework_version"
            version = call.kw(key) if call.name.startswith("sagemaker.") else None
            if version is not None and re.match(r"\d", str(version.literal)):
                yield Evidence(keyword_span(project, call, key), f"{key}={version.text}")
    for _, _, steps in cloud_steps(project):
        for step in steps:
            for node in step.node.walk():
                if node.kind == "scalar" and _OF_PLATFORM.search(node.text):
                    yield Evidence(Span(step.path, node.line), f"step {step.name}: {node.text}")


def _platforms(project: Project) -> Iterator[tuple[str, Evidence]]:
    """The files of platforms that describe an environment, and what each lacks."""
    for deployment in project.containers.deployments:
        why = _lacks(project, deployment)
        if why is not None:
            yield why, Evidence(deployment.span, f"{deployment.kind} {deployment.image}".strip())


def _of_azure(project: Project) -> Iterator[tuple[str, Evidence]]:
    """Environments of Azure ML: an image, and the conda file that is installed on it."""
    for item in setting(project, "$schema"):
        if not str(item.value).rstrip().endswith("/environment.schema.json"):
            continue
        tree = load_yaml(project.text(item.span.path) or "", item.span.path)
        if isinstance(tree, Unreadable) or not (image := tree.str_at("image")):
            continue
        place = Evidence(Span(item.span.path, tree.line_of("image")), f"environment on {image}")
        if tree.get("conda_file") is None:
            yield "it installs no dependencies", place
        else:
            yield ("" if is_pinned(image) else f"its base {image} is not pinned"), place


def _clusters(project: Project) -> Iterator[tuple[str, Evidence]]:
    """The clusters that jobs of Databricks start, and what each lacks."""
    for path in sorted({f.span.path for f in project.pipeline_files if f.tool == "databricks"}):
        text = project.text(path) or ""
        found = SPARK_RUNTIME.search(text)
        if found is None or "new_cluster" not in text:
            continue
        tree = load_yaml(text.encode(), path)
        if not isinstance(tree, Unreadable) and not starts_cluster(tree):
            continue  # described, and every job runs on one that exists
        place = Evidence(Span(path, text.count("\n", 0, found.start()) + 1), found[0].strip())
        package = _WHEEL.search(text) or project.has(".dbx/project.json")
        yield ("" if package else "it installs no dependencies"), place


def _lacks(project: Project, deployment: DeployFile) -> str | None:
    """What a platform or environment file lacks; None where it describes no environment."""
    if deployment.kind in _SELF_CONTAINED:
        return ""
    if deployment.kind == "bentoml":
        return "it is built by BentoML on a base that nothing pins"
    if deployment.kind not in {"devcontainer", "apptainer", "cluster"}:
        return None
    installs = any(_installs(project, c.text) for c in deployment.commands)
    base = deployment.image
    if deployment.kind == "devcontainer" and deployment.dockerfile:
        if not installs:
            return None  # judged as a Dockerfile
        built = (i.base for i in images(project) if i.path == deployment.dockerfile)
        base = next(built, "")
    if not base:
        return None
    if not is_pinned(base):
        return f"its base {base} is not pinned"
    return "" if installs else "it installs no dependencies"


def _installs(project: Project, text: str) -> bool:
    """Whether a command installs what the project declares, not some tool beside it."""
    if not _INSTALL.search(text):
        return False
    lists = _LIST.findall(text)
    if lists:
        elsewhere = any(name.startswith("/") or "$" in name for name in lists)
        return elsewhere or "://" in text or any(project.has(normpath(name)) for name in lists)
    if not _PIP.search(text) or re.search(r"\s(-e\s+)?[\"']?\.(\[|[\s\"';]|$)", text):
        return True
    words = {re.split(r"[\[=<>~!]", w.strip("\"'"))[0].lower() for w in text.split()}
    named = {r.name.lower() for r in project.dependencies.requirements if r.group == "runtime"}
    return not named or len(named & words) >= _MOST * len(named)
