"""AUT09."""

from __future__ import annotations

import re
from posixpath import normpath

from mlops_audit.facts.docker import Dockerfile
from mlops_audit.facts.resources import Resource
from mlops_audit.graph import Project
from mlops_audit.graph.cistarts import REMOTE_STORE
from mlops_audit.model import Evidence, Outcome, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.automation._delivery import Delivery, builds, holds_code, publishes
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "automation that builds and publishes an image, package or model bundle of the project"
)
_ARCHIVE = "data.archive_file."
_APPLIES = regex(r"\b(terraform|tofu|terragrunt)\b")
_PLATFORM = regex(r"azure|sagemaker|vertex", re.IGNORECASE)
_REGISTERS = regex(r"(^|[^a-z])register([^a-z]|$)|register_?model", re.IGNORECASE)
_MAKES_FOLDERS = regex(
    r"clone|mkdir|unzip|\btar\b|repository|submodule|download|cookiecutter|copier|\bcp\b|\bnew\b"
)
_IMAGE_OF_BUNDLE = regex(r"bentoml containerize|cog build|truss image|mlflow models build-docker")
_BUNDLES = ("**/bentofile.y*ml", "**/cog.yaml", "**/truss.yaml", "**/MLproject")


@practice(
    id="AUT09",
    title="Automation builds and publishes a deployable artifact",
    assets="code, model",
    level="5M",
    sources="S0 S3 S4",
    fix="Build the image in the release workflow and push it to a registry.",
    template=(
        ".github/workflows/release.yml",
        "Dockerfile",
    ),
)
def cd_builds_artifact(project: Project) -> Verdict:
    """A publication that automation reaches and that holds code or a model of the project."""
    published = list(publishes(project, project.automation))
    absent = [d for d in published if _without_source(project, d)]
    published = [d for d in published if d not in absent]
    images = [d for d in published if d.use == "image.publish"]
    others = [d for d in published if d.use != "image.publish"]
    files = project.containers.dockerfiles
    full = [d for d in images if _has_code(project, d)]
    if others or full:
        best = [*full, *others]
        return passed("Automation builds and publishes an artifact.", [d.evidence for d in best])
    for said, find in _OTHER_WAYS:
        if found := find(project):
            return passed(said, found)
    if images and files:
        return partial(
            "The published image holds none of the project's code.",
            [d.evidence for d in images],
        )
    built = [d for d in builds(project, project.automation) if not _without_source(project, d)]
    if built and not (images and not files):
        return partial(
            "Automation builds an artifact and publishes nothing.", [d.evidence for d in built]
        )
    if images or built:
        return hollow(
            "Automation packages a file that does not exist.",
            [d.evidence for d in (*images, *built)],
            looked_for=_LOOKED_FOR,
        )
    by_hand = _by_hand(project, _lost_builds(project, absent))
    if absent and by_hand.outcome is Outcome.FAIL:
        return hollow(
            "Automation packages a file that does not exist.",
            [d.evidence for d in absent],
            looked_for=_LOOKED_FOR,
        )
    return by_hand


def _archived(project: Project) -> list[Evidence]:
    """Folders of code that Terraform packs for a function or bucket, when automation applies it."""
    archives = [
        r
        for r in project.resources
        if r.kind == "data archive_file"
        and any(
            r.path == o.path and f"{_ARCHIVE}{r.name}" in o.references for o in project.resources
        )
        and _packs_code(project, r)
    ]
    if not archives:
        return []
    applied = [
        evidence
        for use, _, evidence in project.reached_uses(project.automation, "infra.apply")
        if _APPLIES.search(use.detail)
    ]
    packed = [Evidence(r.span, f"{r.kind} {r.name}") for r in archives]
    return [*applied[:2], *packed[:3]] if applied else []


def _packs_code(project: Project, archive: Resource) -> bool:
    named = archive.node.str_at("source_dir") or archive.node.str_at("source_file")
    place = named.rpartition("}/")[2].strip("./")
    base = archive.path.rpartition("/")[0]
    for start in (place, normpath(f"{base}/{place}")):
        if start in project.modules or any(p.startswith(f"{start}/") for p in project.modules):
            return bool(place)
    return False


def _registered(project: Project) -> list[Evidence]:
    """Steps of a managed platform's pipeline that put the model into its registry, to deploy it."""
    if not project.workflows:
        return []
    found = [
        use.evidence()
        for use in project.uses("registry.register", test=False, notebook=False)
        if use.call is not None and use.call.name.startswith("sagemaker.workflow.")
    ]
    for pipeline in project.pipelines:
        if pipeline.dag and not pipeline.notebook and _PLATFORM.search(pipeline.tool):
            found += [s.evidence for s in pipeline.steps if _REGISTERS.search(s.name)]
    return found


def _stored_by_run(project: Project) -> list[Evidence]:
    """Where code that automation runs puts the model it trains into a hosted registry."""
    found = []
    for use, way, evidence in project.reached_uses(project.automation, "registry.register"):
        nodes = way.nodes()
        if any(n.kind == "tests" or project.is_test(n.span.path) for n in nodes):
            continue
        if use.call is None:
            if _PLATFORM.search(use.tool):  # an action or a command of the platform's own
                found.append(evidence)
            continue
        if use.call.method.startswith("get_") or project.is_test(use.path):
            continue
        if REMOTE_STORE.search(project.text(nodes[0].span.path) or ""):
            found.append(evidence)
    return found


_OTHER_WAYS = (
    ("Automation packs the code and hands it to a cloud.", _archived),
    ("The pipeline registers the model as a package.", _registered),
    ("A run of CI stores the model in a registry.", _stored_by_run),
)


def _without_source(project: Project, delivery: Delivery) -> bool:
    """Whether a build step names a Dockerfile or folder of this repository that is not there."""
    if delivery.command is not None:
        return _in_lost_folder(project, delivery)
    if delivery.way.node.kind != "action":
        return False
    inputs = getattr(delivery.way.node.payload, "inputs", None) or {}
    named = str(inputs.get("file") or inputs.get("dockerfile") or "")
    folder = str(inputs.get("context") or "")
    steps = [s for n in delivery.way.nodes() if n.kind == "job" for s in n.payload[1].steps]
    if any("repository" in s.inputs for s in steps) or "$" in f"{named}{folder}":
        return False  # another repository may bring it, or the run fills the name in
    if named:
        places = project.places
        return not places.file(named) and not places.file(named, folder.strip("./"))
    local = folder.strip("./")
    return bool(local) and "://" not in folder and project.places.folder(local) is None


def _is_made(project: Project, folder: str) -> bool:
    """Whether a task or script makes the folder first."""
    wanted = folder.strip("./")
    return any(
        command.program == "mkdir" and wanted in {word.strip("./") for word in command.argv[1:]}
        for command, _ in project.all_commands
    )


def _in_lost_folder(project: Project, delivery: Delivery) -> bool:
    """Whether a command runs where a `cd` to a folder that nothing makes would have led."""
    command = delivery.command
    if command is None or not command.cwd or command.cwd.startswith(("/", "~", "..")):
        return False
    near = next((n.payload[1] for n in delivery.way.nodes() if n.kind == "command"), "")
    jobs = [n.payload[1] for n in delivery.way.nodes() if n.kind == "job"]
    done = " ".join(f"{s.uses} {s.run} {s.inputs}" for job in jobs for s in job.steps)
    made = "$" in command.cwd or _MAKES_FOLDERS.search(done) or _is_made(project, command.cwd)
    return not made and project.places.folder(command.cwd, str(near)) is None


def _has_code(project: Project, delivery: Delivery) -> bool:
    """Whether the image that is pushed is built from a Dockerfile that takes in own code."""
    files = project.containers.dockerfiles
    if not files:
        # Built without a Dockerfile here: by a platform, buildpacks or a model server.
        pushed = re.search(r"docker (push|buildx)", delivery.evidence.detail)
        return delivery.command is not None and (not pushed or _bundled(project))
    named = [f for f in files if f.path in str(delivery.way.node.payload)]
    near = [n for n in delivery.way.nodes() if n.kind == "job"]
    folder = " ".join(str(n.payload[1]) for n in near)
    used = named or [f for f in files if f.path in folder and "/" in f.path] or list(files)
    return any(holds_code(project, f) for f in used)


def _bundled(project: Project) -> bool:
    """Whether automation has a tool make an image of a bundle that stands here."""
    return bool(project.glob(*_BUNDLES)) and any(
        _IMAGE_OF_BUNDLE.search(d.evidence.detail) for d in builds(project, project.automation)
    )


def _lost_builds(project: Project, absent: list[Delivery]) -> frozenset[Span]:
    """Where automation builds or publishes what is not there: no person can either."""
    lost = [d for d in builds(project, project.automation) if _without_source(project, d)]
    return frozenset(d.evidence.span for d in (*absent, *lost))


def _by_hand(project: Project, lost: frozenset[Span]) -> Verdict:
    """A Dockerfile or script with which a person builds, or nothing."""
    scripts = [
        use.evidence()
        for use in project.uses("image.build", "package.build", "image.publish", "package.publish")
        if use.where == "command" and not project.is_test(use.path) and use.span not in lost
    ]
    dockerfiles = [
        f
        for f in project.containers.dockerfiles
        if f.stages and not f.bare and not f.path.startswith(".devcontainer/")
    ]
    empty = [f for f in dockerfiles if _packs_lost(project, f)]
    dockerfiles = [f for f in dockerfiles if f not in empty]
    # Beside an image with the project's code, one of a tracker or database shows nothing.
    own = [f for f in dockerfiles if holds_code(project, f)] or dockerfiles
    serving = project.roles.serving | project.roles.training
    own.sort(key=lambda f: not any(p.startswith(f.path.rpartition("/")[0]) for p in serving))
    files = [
        Evidence(f.stages[0].span, f"a Dockerfile for a person: FROM {f.stages[0].base}")
        for f in own
    ]
    registers = [
        use.evidence()
        for use in project.uses("registry.register")
        if use.where == "command" and not project.is_test(use.path)
    ]
    if files or scripts or registers:
        return partial("Only a person builds the artifact.", [*files, *scripts, *registers])
    bundles = project.glob(*_BUNDLES[:3])
    if bundles:
        gone = _lost(project, bundles[0])
        if gone:
            return hollow(
                f"{bundles[0]} packages a file that does not exist: {gone}.",
                Evidence(Span(bundles[0]), f"names {gone}"),
                looked_for=_LOOKED_FOR,
            )
        return partial(
            "Only a person builds the bundle.", Evidence(Span(bundles[0]), "a bundle's file")
        )
    if empty:
        return hollow(
            "A Dockerfile packs programs that do not exist.",
            [Evidence(f.stages[0].span, f"FROM {f.stages[0].base}") for f in empty],
            looked_for=_LOOKED_FOR,
        )
    return failed("Nothing builds an artifact.", looked_for=_LOOKED_FOR)


def _packs_lost(project: Project, dockerfile: Dockerfile) -> bool:
    """Whether the programs that an image takes in by name are all nowhere in the project."""
    copied = {
        s
        for stage in dockerfile.stages
        for copy in stage.copies
        if not copy.origin
        for s in copy.sources
    }
    folder = dockerfile.path.rpartition("/")[0]
    places = project.places
    if any(set(s) & set("*$") or places.folder(s, folder) is not None for s in copied):
        return False  # folders and what a variable names bring what they hold
    programs = {s.rsplit("/", 1)[-1] for s in copied if s.endswith(".py")}
    return bool(programs) and not programs & {p.rsplit("/", 1)[-1] for p in project.paths}


def _lost(project: Project, path: str) -> str:
    """The program that a bundle's file names and that does not exist."""
    text = project.text(path) or ""
    named = re.search(r"(?:service|predict)\s*:\s*[\"']?([\w./-]+?)(?:\.py)?:(\w+)", text)
    if not named:
        return ""
    file = named[1].replace(".", "/") + ".py"
    folder = path.rpartition("/")[0]
    return "" if project.places.file(file, folder) else f"{named[1]}:{named[2]}"
