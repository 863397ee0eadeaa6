"""Infrastructure that Python declares with the AWS CDK, as the resources it becomes.

Constructs of the first layer are CloudFormation's own (`CfnEndpoint` is `AWS::SageMaker::Endpoint`,
`endpoint_name` its `EndpointName`); of the second layer those are known that say what runs, when,
and what is watched.
"""

from __future__ import annotations

import re
from dataclasses import replace

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.facts.nodes import Entry, Node
from mlops_audit.facts.resources import Resource

__all__ = ["read_constructs"]

_CONSTRUCT = re.compile(r"^(?:aws_cdk|monocdk)\.aws_(\w+?)(?:_alpha)?\.(Cfn)?(\w+)$")
# How CloudFormation writes the services; others are written like one word.
_SERVICES = {
    "sagemaker": "SageMaker", "cloudwatch": "CloudWatch", "codepipeline": "CodePipeline",
    "codebuild": "CodeBuild", "codedeploy": "CodeDeploy", "stepfunctions": "StepFunctions",
    "sns": "SNS", "sqs": "SQS", "ecs": "ECS", "ecr": "ECR", "iam": "IAM", "mwaa": "MWAA",
    "apigateway": "ApiGateway", "apigatewayv2": "ApiGatewayV2", "apprunner": "AppRunner",
    "applicationautoscaling": "ApplicationAutoScaling", "dynamodb": "DynamoDB",
}  # fmt: skip
_SECOND_LAYER = {
    ("events", "Rule"): "Rule",
    ("scheduler", "Schedule"): "Schedule",
    ("cloudwatch", "Alarm"): "Alarm",
    ("cloudwatch", "CompositeAlarm"): "CompositeAlarm",
    ("cloudwatch", "Dashboard"): "Dashboard",
    ("sns", "Topic"): "Topic",
    ("lambda", "Function"): "Function",
    ("lambda", "DockerImageFunction"): "Function",
    ("stepfunctions", "StateMachine"): "StateMachine",
    ("codepipeline", "Pipeline"): "Pipeline",
    ("codebuild", "Project"): "Project",
    ("codebuild", "PipelineProject"): "Project",
    ("ecs", "FargateService"): "Service",
    ("ecs", "Ec2Service"): "Service",
    ("apigateway", "RestApi"): "RestApi",
    ("apigateway", "LambdaRestApi"): "RestApi",
    ("s3", "Bucket"): "Bucket",
}
# Actions of a pipeline: category and provider.
_ACTIONS = (
    (re.compile(r"CodeCommitSource"), "Source", "CodeCommit"),
    (re.compile(r"GitHubSource"), "Source", "GitHub"),
    (re.compile(r"CodeStarConnection|BitBucketSource"), "Source", "CodeStarSourceConnection"),
    (re.compile(r"S3Source"), "Source", "S3"),
    (re.compile(r"EcrSource"), "Source", "ECR"),
    (re.compile(r"CodeBuild"), "Build", "CodeBuild"),
    (re.compile(r"ManualApproval"), "Approval", "Manual"),
    (re.compile(r"CloudFormation"), "Deploy", "CloudFormation"),
    (re.compile(r"CodeDeploy"), "Deploy", "CodeDeploy"),
    (re.compile(r"EcsDeploy"), "Deploy", "ECS"),
    (re.compile(r"LambdaInvoke"), "Invoke", "Lambda"),
    (re.compile(r"StepFunction"), "Invoke", "StepFunctions"),
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z_]\w*")
_EVENT_RULE = "AWS::Events::Rule"


def read_constructs(module: Module) -> tuple[Resource, ...]:
    """The resources that a module's constructs become; a variable's name is the resource's."""
    if not module.roots & {"aws_cdk", "monocdk"}:
        return ()
    found = [(call, _resource(call)) for call in module.calls if call.runs]
    made = [(call, resource) for call, resource in found if resource is not None]
    names = {(call.scope, resource.name) for call, resource in made}
    return tuple(_linked(module, call, resource, names) for call, resource in made)


def _resource(call: Call) -> Resource | None:
    kind = _kind(call)
    if not kind:
        return None
    line = call.span.line or 1
    entries = {_pascal(k): Entry(_pascal(k), line, _node(v, line)) for k, v in call.kwargs}
    given = next((str(v.literal) for v in call.args if isinstance(v.literal, str)), "")
    name = call.targets[0] if call.targets else given or kind
    enabled = call.kw("enabled")
    schedule = call.kw("schedule") or call.kw("schedule_expression")
    return Resource(
        "cdk",
        kind,
        name,
        call.span.path,
        call.span,
        Node("map", line, entries=entries),
        schedule=_scheduled(schedule),
        disabled="enabled=False" if enabled is not None and enabled.literal is False else "",
    )


def _kind(call: Call) -> str:
    if call.method == "on_state_change" and "schedule" in {k for k, _ in call.kwargs}:
        return _EVENT_RULE
    match = _CONSTRUCT.match(call.name)
    if match is None:
        return ""
    service, first, name = match[1], match[2], match[3]
    kind = name if first else _SECOND_LAYER.get((service, name), "")
    written = _SERVICES.get(service, service.capitalize())
    return f"AWS::{written}::{kind}" if kind and not kind.endswith("Property") else ""


def _scheduled(value: Value | None) -> str:
    if value is None:
        return ""
    return next(value.strings(), "") or value.text


def _linked(
    module: Module, call: Call, resource: Resource, names: set[tuple[str, str]]
) -> Resource:
    """With what later calls add to it, and the names of others that it mentions."""
    line = call.span.line or 1
    added = [c for c in module.calls if c.scope == call.scope and _adds_to(c, resource.name)]
    entries = dict(resource.node.entries)
    if resource.kind == "AWS::CodePipeline::Pipeline":
        entries["Stages"] = Entry("Stages", line, _stages(module, call, added))
    elif added:
        told = tuple(Node("scalar", c.span.line or 1, text=c.text, quoted=True) for c in added)
        entries["Added"] = Entry("Added", line, Node("list", line, children=told))
    words = {w for _, v in call.kwargs for w in _WORD.findall(v.text)}
    words |= {w for c in added for w in _WORD.findall(c.text)}
    pointed = sorted(n for n in words - {resource.name} if (call.scope, n) in names)
    node = replace(resource.node, entries=entries)
    return replace(resource, node=node, references=tuple(pointed))


def _adds_to(call: Call, name: str) -> bool:
    """Whether a call adds to a construct: `rule.add_target(...)`, `add_target(rule, ...)`."""
    if call.receiver == name:
        return call.method.startswith("add_")
    return "add" in call.method and any(a.text == name for a in call.args[:2])


def _named(stage: Value) -> str:
    name = stage.get("stage_name")
    return name.text if name is not None else ""


def _stages(module: Module, call: Call, added: list[Call]) -> Node:
    """The stages of a pipeline as CloudFormation writes them."""
    line = call.span.line or 1
    listed = call.kw("stages")
    items = listed.items if listed is not None else ()
    # A listed stage is a call of its own, which knows its line.
    lines = {
        name.text: c.span.line or line
        for c in module.calls
        if c.method == "StageProps" and c.scope == call.scope and (name := c.kw("stage_name"))
    }
    found = [_stage(v, lines.get(_named(v), line)) for v in items]
    for other in added:
        if other.method == "add_stage":
            whole = Value(other.text, is_call=True, kwargs=other.kwargs)
            found.append(_stage(whole, other.span.line or line))
    return Node("list", line, children=tuple(found))


def _stage(value: Value, line: int) -> Node:
    name = value.get("stage_name")
    actions = value.get("actions")
    listed = [_action(v, line) for v in (actions.items if actions is not None else ())]
    return _map(line, Name=_text(name, line), Actions=Node("list", line, children=tuple(listed)))


def _action(value: Value, line: int) -> Node:
    kind = next(((c, p) for what, c, p in _ACTIONS if what.search(value.name or value.text)), None)
    category, provider = kind or ("Invoke", "Unknown")
    plain = {_pascal(k): _text(v, line) for k, v in value.kwargs}
    if "Project" in plain:
        plain["ProjectName"] = plain.pop("Project")
    if "Branch" in plain:
        plain["BranchName"] = plain["Branch"]
    names = _map(line, Category=_scalar(category, line), Provider=_scalar(provider, line))
    name = _text(value.get("action_name"), line)
    return _map(line, Name=name, ActionTypeId=names, Configuration=_map(line, **plain))


def _node(value: Value, line: int) -> Node:
    if value.keys and value.items:
        pairs = zip(value.keys, value.items, strict=False)
        found = {k.strip("'\""): _node(v, line) for k, v in pairs}
        return _map(line, **found)
    if value.items:
        return Node("list", line, children=tuple(_node(v, line) for v in value.items))
    if value.is_call and value.kwargs:
        return _map(line, **{_pascal(k): _node(v, line) for k, v in value.kwargs})
    return _text(value, line)


def _text(value: Value | None, line: int) -> Node:
    if value is None:
        return Node("scalar", line)
    if isinstance(value.literal, bool):
        return Node("scalar", line, text=str(value.literal).lower())
    return _scalar(str(value.literal) if value.is_literal else value.text, line)


def _scalar(text: str, line: int) -> Node:
    return Node("scalar", line, text=text)


def _map(line: int, **nodes: Node) -> Node:
    return Node("map", line, entries={k: Entry(k, line, v) for k, v in nodes.items()})


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
