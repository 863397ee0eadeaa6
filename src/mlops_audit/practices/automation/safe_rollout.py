"""AUT14."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.graph.fallbacks import default_answers
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a canary, shadow, A/B, blue-green or bandit rollout, or an automatic rollback, in deploy code"
)
_CONFIG = regex(r"\.(ya?ml|json|tf|tpl|template|bicep|hcl)$", re.IGNORECASE)
_OTHERS = regex(r"(^|/)(\.?mlruns|data|datasets?|tests?|node_modules|docs)/|lock|dvc\.|-lock\.")
_SHARE = regex(
    r"(canaryTrafficPercent|canary_traffic_percent|\bweight|traffic_percentage|percent|\btraffic|"
    r"InitialVariantWeight|initial_variant_weight|trafficPercent)[\"']?\s*[:=]\s*[\"']?"
    r"(?P<share>\d{1,3}(\.\d+)?|\{\{[^}]*\}\}|\$\{?[\w.]+\}?)",
)
_ROUTED = regex(
    r"VirtualService|HTTPRoute|TrafficSplit|InferenceService|canary|Canary|ProductionVariants|"
    r"production_variants|traffic[\"']?\s*[:{]|google_cloud_run|SeldonDeployment|InferenceGraph"
)
_SURE = regex(
    r"argoproj\.io/v\w+[\s\S]{0,200}kind:\s*Rollout|kind:\s*(Canary|AnalysisTemplate)\b|"
    r"DeploymentPreference|(Canary|Linear)\d+Percent|AllAtOnce_never|BlueGreenUpdatePolicy|"
    r"ShadowProductionVariants|AutoRollbackConfiguration|rollout_strategy:\s*[\"']?ROLLOUT|"
    r"deployment_circuit_breaker|auto_rollback_configuration|blue_green_update_policy|"
    r"shadow_production_variants|mirror_traffic|mirrorPercentage|CodeDeployDefault\.\w+(Canary|"
    r"Linear)|rollback:\s*true|AutoRollback|RANDOM_ABTEST|EPSILON_GREEDY|THOMPSON_SAMPLING|"
    r"mab_(epsilon_greedy|thompson)"
)
_COMMANDS = regex(
    r"helm rollback|kubectl (argo )?rollouts? undo|helm upgrade .*--atomic|slot swap|"
    r"rollouts? (promote|abort)|update-traffic .*--to-(revisions|tags)|--mirror-traffic|"
    r"endpoint update .*--traffic\s+[\"']?\S+=\d{1,2}\b|--canary|ingress traffic set|"
    r"weight\.(blue|green|canary)|--no-traffic"
)
_ROUTES = regex(r"ab_?test|canary|shadow|challenger|bandit|traffic_split|variant", re.IGNORECASE)
_FALLBACK = regex(
    r"fall_?back|default_(prediction|model|answer|response)"
    r"(?!_?(s?_)?(tag|name|path|id|uri|url|version|dir|file|type|config|params?|key))",
    re.IGNORECASE,
)
_SCHEMA_CHANGES = regex(r"(^|/)(migrations?|alembic)(/|$)")
_WRITTEN = regex(r"^#{1,6}\s.*\b(roll(ing)?[ -]?back|rollback)\b", re.IGNORECASE)
_MAX_BYTES = 400_000


@practice(
    id="AUT14",
    title="A new version reaches users step by step",
    assets="system",
    level="5s",
    sources="S3 S4",
    fix="Send a small share of the traffic to the new version first, and roll back by itself.",
    template=(
        "src/<package>/serving/canary.py",
        "src/<package>/serving/rollout.py",
        "deploy/canary.yaml",
    ),
    needs=("prediction",),
    attestable=True,
)
def safe_rollout(project: Project) -> Verdict:
    """A split of traffic, a staged rollout or an automatic rollback in deploy code or config."""
    found = [*_configured(project), *_commanded(project), *_called(project), *_routed(project)]
    if found:
        return passed("The rollout is gradual or rolls back by itself.", found)
    weaker = [*_fallbacks(project), *_written(project)]
    if weaker:
        return partial("Only a fallback or a written procedure stands by.", weaker)
    full = list(_full(project))
    if full:
        return hollow("All traffic goes to the new version at once.", full, looked_for=_LOOKED_FOR)
    return failed("A new version replaces the old one at once.", looked_for=_LOOKED_FOR)


def _texts(project: Project) -> Iterator[tuple[str, str]]:
    for path in project.paths:
        if not _CONFIG.search(path) or _OTHERS.search(path) or project.is_test(path):
            continue
        if (project.entry(path).size or 0) <= _MAX_BYTES:
            text = project.text(path)
            if text:
                yield path, text


def _configured(project: Project) -> Iterator[Evidence]:
    for path, text in _texts(project):
        lines = text.splitlines()
        if not (_ROUTED.search(text) or _SURE.search(text)):
            continue
        for number, line in enumerate(lines, 1):
            bare = line.strip()
            if bare.startswith(("#", "//")):
                continue
            sure = _SURE.search(bare)
            if (
                sure
                and "Off" not in bare
                and "AllAtOnce" not in bare
                and ("rollback" not in bare.lower() or "false" not in bare.lower())
            ):
                yield Evidence(Span(path, number), bare)
                break
            share = _SHARE.search(bare)
            if share and _partly(share["share"]) and _ROUTED.search(text):
                yield Evidence(Span(path, number), bare)
                break
        else:
            staged = re.search(r"kind:\s*(Rollout|Canary|TrafficSplit)\b", text)
            if staged and re.search(r"argoproj\.io|flagger\.app|smi-spec", text):
                line_number = text.count("\n", 0, staged.start()) + 1
                yield Evidence(Span(path, line_number), staged[0])


def _partly(share: str) -> bool:
    """Whether a share is between nothing and all; a placeholder may be."""
    if share.startswith(("{", "$")):
        return True
    value = float(share)
    return 0 < value < 100 and value != 1.0  # noqa: PLR2004 -- percent


def _commanded(project: Project) -> Iterator[Evidence]:
    for way in project.automation.of("command"):
        command, _ = way.node.payload
        if _COMMANDS.search(" ".join(command.argv)):
            yield way.evidence()
    for use, _, evidence in project.reached_uses(project.automation, "deploy.rollout"):
        if use.where == "action":
            yield evidence


def _called(project: Project) -> Iterator[Evidence]:
    """Endpoints that code splits: `traffic_percentage=10`, `traffic_split={"0": 10, ...}`."""
    for module in project.source:
        if project.is_example(module.path):
            continue
        for call in module.calls:
            for key, value in call.kwargs:
                percent = key in {"traffic_percentage", "canary_traffic_percent"}
                number = value.literal
                if percent and isinstance(number, int) and 0 < number < 100:  # noqa: PLR2004 -- percent
                    yield Evidence(keyword_span(project, call, key), f"{key}={number}")
                if key in {"traffic_split", "traffic"} and len(value.items) > 1:
                    yield Evidence(keyword_span(project, call, key), f"{key}={value.text}")
                if key in {"blue_green_update_policy", "deployment_preference"} or (
                    key == "auto_rollback" and number is not False
                ):
                    yield Evidence(keyword_span(project, call, key), f"{key}={value.text}")


def _routed(project: Project) -> Iterator[Evidence]:
    """A service that sends a share of requests to another model, or to it as well."""
    for path in sorted(project.roles.serving):
        module = project.modules.get(path)
        if module is None:
            continue
        for branch in module.branches:
            chance = re.search(r"random|hash\(|rand\(|% ?100|bucket", branch.test)
            if chance and (_ROUTES.search(branch.test) or _two_models(module, branch.body)):
                yield Evidence(branch.span, f"if {branch.test}")
        for call in module.calls:
            if _ROUTES.search(call.receiver) and call.method.startswith("predict"):
                yield Evidence(call.span, call.told)


def _two_models(module: Module, lines: tuple[int, int]) -> bool:
    return any(re.search(r"model", c.text) for c in module.calls_within(lines))


def _fallbacks(project: Project) -> Iterator[Evidence]:
    for path in sorted(project.roles.serving):
        module = project.modules.get(path)
        for call in module.calls if module else ():
            if _FALLBACK.search(call.method) or _FALLBACK.search(" ".join(call.targets)):
                yield Evidence(call.span, call.told)
                break
    yield from default_answers(project)[:2]


def _written(project: Project) -> Iterator[Evidence]:
    for path in project.glob("**/*.md", "**/*.rst"):
        if _SCHEMA_CHANGES.search(path):
            continue  # of a database
        lines = project.lines(path)
        code = False
        for number, line in enumerate(lines, 1):
            code ^= line.lstrip().startswith("```")
            if code:
                continue  # a comment in a block of commands
            below = [n for n in range(number + 1, number + 5) if "".join(lines[n - 1 : n]).strip()]
            if _WRITTEN.match(line) and below:
                head = Evidence(Span(path, number), line.strip())
                first = next((n for n in below if not lines[n - 1].startswith("```")), below[0])
                yield Evidence(Span(path, first), lines[first - 1].strip(), (head,))
                break


def _full(project: Project) -> Iterator[Evidence]:
    for path, text in _texts(project):
        if not re.search(r"deploy|serving|endpoint", path, re.IGNORECASE):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            share = re.search(r"traffic\w*[\"']?\s*[:=]\s*[\"']?(blue=)?100\b", line)
            if share:
                yield Evidence(Span(path, number), line.strip())
                return
