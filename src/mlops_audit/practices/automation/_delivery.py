"""What builds, publishes and deploys: shared by the practices about delivery."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from mlops_audit.facts.dockerfile import Dockerfile
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.types import Command, Trigger, TriggerKind, Workflow
from mlops_audit.graph import Project
from mlops_audit.graph.datasets import is_model_path
from mlops_audit.graph.execution import Node, Reach, Way
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = [
    "Delivery",
    "builds",
    "deploys",
    "holds_code",
    "is_guarded",
    "publishes",
    "puts_to_work",
]

_PUBLISHES = ("image.publish", "package.publish", "model.push", "pipeline.deploy")
_BUILDS = ("image.build", "package.build")
_MODEL = regex(
    r"model|\.pkl|\.joblib|\.onnx|\.tar\.gz|\.whl|\.zip|pipeline|bundle|artifact|dist/|package",
    re.IGNORECASE,
)
_NO_ARTIFACT = regex(
    r"coverage|report|docs?\b|htmlcov|test-?results|logs?\b|screenshots|cache|metrics",
    re.IGNORECASE,
)
_PREPARES = regex(r"/setup[-_]")
_SETUP = regex(r"docker/(login|setup|metadata)|login-action|setup-")
# Deploying from source builds and stores the artifact on the way.
_FROM_SOURCE = regex(
    r"gcloud (beta )?(run|functions|app) deploy|sam (build|deploy|package)|modal deploy|zappa|"
    r"serverless deploy|sls deploy|heroku|copilot|az (webapp up|functionapp)|func azure|"
    r"bentoml deploy|truss push|cog push|chalice deploy|eb deploy|cdk deploy|"
    r"azd (up|deploy|publish)|cerebrium deploy|beam deploy|fly(ctl)? deploy|railway up"
)
_GIT_PUSH = regex(r"huggingface\.co/spaces|\bheroku\b.*\b(main|master|HEAD)|dokku")
_TO_A_SPACE = regex(r"^(huggingface-cli|hf) upload\b.*\s--repo[-_]type[= ]space\b")
_OF_MAIN = regex(r"push|\bref\b|ref_name|main|master|event_name|pull_request")
_RESULT = regex(r"conclusion|\bsuccess\b|workflow_run\.status")
_HOOK = regex(
    r"deploy_?-?hook|render\w{0,20}_hook|api\.render\.com/(deploy|v1/services/[^ ]{1,80}/deploys)|"
    r"/hooks/.*deploy|app\.koyeb\.com/v1/services/[^ ]{1,80}/redeploy",
    re.IGNORECASE,
)
_REMOTE = frozenset({"ssh", "tcp"})
# Docker on another machine, by context or address; Amazon's agent on its machines.
_ELSEWHERE = regex(r"\s(--context[= ](?!default\b)|(-H|--host)[= ](ssh|tcp)://)|ssm send-command")
_STARTS = regex(
    r"docker( --context[= ]\S+)?(-compose| compose)\b.*\b(up|run)\b|docker (run|service|stack)|"
    r"systemctl (re)?start|pm2 (re)?start|supervisorctl|kubectl|git pull|\./?deploy\S*\.sh"
)
# What a step that says it deploys puts to work on its own machine: services, and workflows.
_PUTS = regex(
    r"docker(-compose| compose)\b.*\bup\b.*\s(-d|--detach)\b|"
    r"^(cp|rsync|scp)\b.*\bdags?(/|\b).*(dags|airflow)",
    re.IGNORECASE,
)
# What a script ends with that took its services down again: a trial run.
_DOWN = regex(r"docker(-compose| compose)\b[^\n]{0,200}\b(down|stop)\b[^\n]{0,80}\s*$")
_OF_A_PLACE = regex(
    r"deploy|production|staging|continuous[-_ ]delivery|(^|[-_ ])cd([-_ ]|$)", re.IGNORECASE
)
_LENT = regex(r"(ubuntu|windows|macos)-", re.IGNORECASE)
_SAYS = regex(r"(^|[^a-z])deploy(s|ment|ing)?([^a-z]|$)", re.IGNORECASE)
_DOCS = regex(
    r"gh-pages|mkdocs|sphinx|docs?[-_/]|github-pages|netlify|deploy-pages|storybook", re.IGNORECASE
)
# Jobs of operators that train and end, by the plural of their kind.
_JOBS = regex(
    r"(train|pytorch|tf|mpi|xgboost|paddle|jax|ray)jobs$|experiments|workflows|sparkapplications"
)
# Names, rights and addresses in a cluster; nothing that runs.
_GROUND = regex(
    r"kubectl create (secret|configmap|cm|namespace|ns|(cluster)?role(binding)?|serviceaccount|sa|"
    r"token)\b|kubectl patch (svc|service|sa|serviceaccount|ns|namespace)\b|eksctl create iam"
)
_TERRAFORM = regex(r"terraform|tofu|terragrunt", re.IGNORECASE)
_WORKS = regex(
    r"lambda|ecs_(service|task)|sagemaker|app_?runner|cloud_?run|cloudfunctions|app_engine|"
    r"container_(app|group)|web_app|app_service|function_app|vertex|machine_learning|kubernetes_|"
    r"kubectl_|helm_release|batch_|glue_|beanstalk|databricks|null_resource|terraform_data|docker_|"
    r"composer|mwaa|sfn_|workflow|codepipeline|codebuild|cloudbuild|emr|dataproc|dataflow|scheduler|"
    r"event_rule|heroku|render_|digitalocean_app|argocd|cloudformation|lightsail|nomad|compute_"
)
_TEMPORARY = regex(
    r"kind create|kind-action|setup-kind|minikube|k3d|microk8s|localstack|(terraform|tofu) destroy|"
    r"pulumi destroy|cdk destroy"
)
_ASKS = "Approval:"  # the category of an action in CodePipeline
_BY_A_PERSON = frozenset({TriggerKind.MANUAL, TriggerKind.RELEASE, TriggerKind.TAG})
_CHECKS = (
    "test.run", "lint.run", "types.run", "format.check", "hooks.run", "data.validate",
    "deploy.approval", "security.scan", "load.test", "infra.plan",
)  # fmt: skip


class Delivery(Struct, frozen=True):
    """Something that automation builds, publishes or deploys, and the way to it."""

    use: str
    evidence: Evidence
    way: Way
    command: Command | None = None


# -- builds ---------------------------------------------------------------------------------------


def publishes(project: Project, reach: Reach) -> Iterator[Delivery]:
    """What automation publishes: images, packages, models, bundles."""
    for use, way, evidence in project.reached_uses(
        reach, *_PUBLISHES, "artifact.upload", "deploy.run"
    ):
        if _in_tests(project, way) or _SETUP.search(use.detail):
            continue
        text = f"{use.detail} {_inputs(way)}"
        if use.capability == "artifact.upload":
            kept = use.where == "action" and "upload-artifact" in use.detail
            if kept or not _MODEL.search(text) or _NO_ARTIFACT.search(text):
                continue
        if use.capability == "deploy.run" and not _FROM_SOURCE.search(text):
            continue
        yield Delivery(use.capability, evidence, way, use.command)
    yield from _pushed_models(project, reach)


def _pushed_models(project: Project, reach: Reach) -> Iterator[Delivery]:
    """`dvc push` of a model that a stage makes, where automation runs the pipeline too."""
    models = any(
        is_model_path(out.path)
        for pipeline in project.dvc.pipelines
        for stage in pipeline.stages
        for out in stage.outs
        if out.cached
    )
    ways = [(way, way.node.payload[0]) for way in reach.of("command")] if models else []
    runs = any(c.argv[:2] in {("dvc", "repro"), ("dvc", "exp")} for _, c in ways)
    for way, command in ways:
        if runs and command.argv[:2] == ("dvc", "push") and not _in_tests(project, way):
            yield Delivery("model.push", way.evidence(), way, command)


def builds(project: Project, reach: Reach) -> Iterator[Delivery]:
    """What automation builds."""
    for use, way, evidence in project.reached_uses(reach, *_BUILDS):
        if not _in_tests(project, way) and not _SETUP.search(use.detail):
            yield Delivery(use.capability, evidence, way, use.command)
    for way in reach.of("target"):
        if way.node.key[0] == "docker-build" and way.previous is not None:
            yield Delivery("image.build", way.evidence(), way)


def holds_code(project: Project, dockerfile: Dockerfile) -> bool:
    """Whether an image takes in files of the project, and not only lists of requirements."""
    for stage in dockerfile.stages:
        for copy in stage.copies:
            for source in copy.sources:
                bare = source.strip("./")
                if copy.origin:
                    continue
                if not bare or re.search(r"(^|/)(src|app|model|service|\w+\.py|\*)", source):
                    return True
                if not re.search(
                    r"requirement|environment|\.toml$|\.lock$|\.ya?ml$|\.sh$|Pipfile|"
                    r"\.json$|\.txt$|\.cfg$|\.cnf$|conf$|[Mm]akefile$|justfile$|LICEN[CS]E|\.md$",
                    source,
                ):
                    folder = project.places.folder(source, dockerfile.path.rpartition("/")[0])
                    if folder is not None or project.places.file(source):
                        return True
        for command in stage.runs:
            if re.search(r"git clone|pip3? install (-e )?\.", command.text):
                return True
    return False


# -- deployments ----------------------------------------------------------------------------


def deploys(project: Project, reach: Reach) -> Iterator[Delivery]:
    """What automation deploys to an environment; documentation is left out."""
    for use, way, evidence in project.reached_uses(
        reach, "deploy.run", "infra.apply", "pipeline.deploy", "deploy.remote", "deploy.rollout"
    ):
        if _in_tests(project, way) or not _is_deployment(use, way) or _passing(way):
            continue
        if not puts_to_work(project, use):
            continue
        yield Delivery(use.capability, evidence, way, use.command)
    for way in reach.of("command"):
        command, _ = way.node.payload
        text = " ".join(command.argv)
        pushed = command.program == "git" and "push" in command.argv and _GIT_PUSH.search(text)
        hooked = command.program in {"curl", "wget"} and _HOOK.search(text)
        if pushed or hooked or _TO_A_SPACE.search(text):
            yield Delivery("deploy.run", way.evidence(), way, command)
        elif _on_a_machine(way) and _STARTS.search(f"{text} {command.stdin}"):
            yield Delivery("deploy.remote", way.evidence(), way, command)
        elif (
            _PUTS.search(text)
            and any(_SAYS.search(e.detail) for e in way.chain())
            and not _taken_down(way)
        ):
            yield Delivery("deploy.run", way.evidence(), way, command)


def puts_to_work(project: Project, use: Use) -> bool:
    """Whether what is applied runs something that serves, and no training job or bare ground."""
    if use.call is not None and (plural := use.call.kw("plural")) is not None:
        return not (isinstance(plural.literal, str) and _JOBS.search(plural.literal))
    if use.where == "action" and _PREPARES.search(use.detail):
        return False  # it brings the program that could deploy
    if _GROUND.search(use.detail):
        return False
    if use.capability != "infra.apply" or not _TERRAFORM.search(use.detail):
        return True
    declared = [r for r in project.resources if r.system == "terraform"]
    return not declared or any(_works(r) for r in declared)


def _works(resource: Resource) -> bool:
    """Whether a resource of Terraform runs a program, or is a module that is not here."""
    if resource.kind == "module":
        return not resource.node.str_at("source").startswith(".")
    holds = resource.node.get("user_data") or resource.node.get("provisioner")
    return bool(_WORKS.search(resource.kind) or holds)


def _is_deployment(use: Use, way: Way) -> bool:
    text = f"{use.detail} {_inputs(way)}"
    kind = use.details.kind if use.details else ""
    if kind == "docs" or (_DOCS.search(text) and use.capability != "pipeline.deploy"):
        return False
    if use.capability == "deploy.remote":
        return bool(_STARTS.search(_inputs(way)) or "scp" in use.detail)
    return "--dry-run" not in use.detail and "destroy" not in use.detail


def _passing(way: Way) -> bool:
    """Whether the job sets up a cluster for itself or tears down what it has made."""
    jobs = [n.payload[1] for n in way.nodes() if n.kind == "job"]
    text = " ".join(j.name for j in jobs)
    text += " ".join(f"{s.uses} {s.run}" for j in jobs for s in j.steps)
    return bool(_TEMPORARY.search(text))


def _on_a_machine(way: Way) -> bool:
    """Whether a command runs on another machine, or on one of the team that CI uses."""
    for node in way.nodes():
        if node.kind == "action" or (node.kind == "step" and node.payload[1].uses):
            uses = node.key[-1] if node.kind == "action" else node.payload[1].uses
            if re.search(r"ssh|remote", uses, re.IGNORECASE):
                return True
        if node.kind == "command" and _is_remote(node.payload[0]):
            return True
        if node.kind == "step" and node.payload[1].env.get("DOCKER_HOST", "")[:3] in _REMOTE:
            return True
        named = _OF_A_PLACE.search(node.detail)
        # What starts on a machine that is lent for one run ends with it.
        if node.kind == "job" and named and not _LENT.match(node.payload[1].runner):
            return True
    return False


def _taken_down(way: Way) -> bool:
    """Whether the step that starts services ends by stopping them."""
    steps = [n.payload[1] for n in way.nodes() if n.kind == "step"]
    return any(_DOWN.search(step.run) for step in steps)


def _is_remote(command: Command) -> bool:
    """Whether a command is carried out on another machine."""
    return (
        command.program == "ssh"
        or command.env.get("DOCKER_HOST", "")[:3] in _REMOTE
        or bool(_ELSEWHERE.search(f" {' '.join(command.argv)}"))
    )


def _inputs(way: Way) -> str:
    """The inputs of an action, as text."""
    payload = way.node.payload
    inputs = getattr(payload, "inputs", None)
    return " ".join(inputs.values()) if inputs else ""


def _in_tests(project: Project, way: Way) -> bool:
    return any(n.kind == "tests" or project.is_test(n.span.path) for n in way.nodes())


# -- what stands before a deployment -----------------------------------------------------------


def is_guarded(project: Project, deployment: Delivery) -> Evidence | None:
    """A test, gate, approval or pull-request check that stands before a deployment."""
    nodes = deployment.way.nodes()
    trigger = next((n for n in nodes if n.kind == "trigger"), None)
    for node in nodes:
        if node.kind == "job":
            job = node.payload[1]
            if (approval := _approval(node.payload[0], nodes)) is not None:
                return approval
            if job.manual and not any(s.uses.startswith(_ASKS) for s in job.steps):
                return Evidence(node.span, f"a person starts job {job.name}")
    started = False
    if trigger is not None:
        kind = trigger.payload[1].kind
        others = {t.kind for t in trigger.payload[0].triggers}
        started = TriggerKind.PUSH not in others and kind in _BY_A_PERSON
        if kind is TriggerKind.WORKFLOW and not _ignores_result(project, trigger.payload[1], nodes):
            return Evidence(trigger.span, "it runs after another workflow")
    same = nodes[0].span.path
    for use, way, evidence in project.reached_uses(project.automation, *_CHECKS):
        first = way.nodes()[0]
        kinds = {t.kind for t in first.payload[0].triggers} if first.kind == "trigger" else set()
        on_pull = TriggerKind.PULL_REQUEST in kinds
        # A plan is looked at by the reviewers of a change only, who see it before it is applied.
        looked = use.capability != "infra.plan" or (on_pull and not _at_once(way, deployment.way))
        on_pull = on_pull and looked
        before = first.span.path == same and _earlier(way, deployment.way)
        # What a person starts has passed the checks of its push.
        before = looked and (before or (started and TriggerKind.PUSH in kinds))
        # A check that cannot fail holds nothing back (practices.md, rule 4).
        if (on_pull or before) and not (way.soft or use.soft):
            return evidence
    gate = next((g for g in project.gates if g.kind == "metric"), None) if started else None
    if gate is not None:
        return gate.evidence[0]
    return _approved(project, deployment)


def _at_once(plan: Way, deployment: Way) -> bool:
    """Whether the job of a plan goes on to apply it, for a change that is asked for as well."""
    jobs = [[n for n in way.nodes() if n.kind == "job"] for way in (plan, deployment)]
    asked = [n.payload[1].condition for n in deployment.nodes() if n.kind in {"job", "step"}]
    return jobs[0] == jobs[1] and not any(_OF_MAIN.search(condition) for condition in asked)


def _ignores_result(project: Project, trigger: Trigger, nodes: tuple[Node, ...]) -> bool:
    """Whether a workflow of GitHub starts after another one, however that one has ended."""
    if not trigger.types or not project.has(trigger.span.path):
        return False
    asked = [n.payload[1].condition for n in nodes if n.kind in {"job", "step"}]
    return not any(_RESULT.search(condition) for condition in asked)


def _approved(project: Project, deployment: Delivery) -> Evidence | None:
    """A program of the same job that takes only models which a person approved in a registry."""
    jobs = [n for n in deployment.way.nodes() if n.kind == "job"]
    for node, way in project.automation.ways.items():
        module = project.modules.get(node.span.path)
        if module is None or not _earlier(way, deployment.way):
            continue
        if not jobs or jobs[-1] not in way.nodes():
            continue
        for call in module.calls if "list_model_packages" in module.names else ():
            status = call.kw("ModelApprovalStatus")
            if call.method == "list_model_packages" and status and status.literal == "Approved":
                return Evidence(call.span, "only approved model packages")
    return None


def _approval(workflow: Workflow, nodes: tuple[Node, ...]) -> Evidence | None:
    """The action of a pipeline's stage that asks a person before what `nodes` lead to.

    Where several stages run one build, for one environment after the other, the last one counts.
    """
    reached = {id(n.payload[1]) for n in nodes if n.kind == "step"}
    acts = [(stage, step) for stage in workflow.jobs for step in stage.steps]
    builds = {step.local for _, step in acts if id(step) in reached and step.local}
    places = [n for n, (_, s) in enumerate(acts) if id(s) in reached or s.local in builds]
    for stage, step in acts[: max(places, default=0)]:
        if step.uses.startswith(_ASKS):
            return Evidence(step.span, f"approval {step.name} in stage {stage.name}")
    return None


def _earlier(check: Way, deployment: Way) -> bool:
    """Whether a check's place in the workflow comes before the deployment's."""
    path = deployment.nodes()[0].span.path
    ends = [
        max((n.span.line or 0 for n in w.nodes() if n.span.path == path), default=0)
        for w in (check, deployment)
    ]
    return ends[0] < ends[1]
