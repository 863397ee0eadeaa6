"""Infrastructure that Python or TypeScript declares with the AWS CDK, as what it becomes.

Constructs of the first layer are CloudFormation's own (`CfnEndpoint` is `AWS::SageMaker::Endpoint`,
`endpoint_name` its `EndpointName`); of the second layer those are known that say what runs, when,
and what is watched.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.facts.nodes import Entry, Node
from mlops_audit.facts.resources import Resource
from mlops_audit.regex import regex

__all__ = ["read_constructs"]

_CONSTRUCT = regex(r"^(?:aws_cdk|monocdk)\.aws_(\w+?)(?:_alpha)?\.(Cfn)?(\w+)$")
# How CloudFormation writes the services; others are written like one word.
_SERVICES = {
    "sagemaker": "SageMaker", "cloudwatch": "CloudWatch", "codepipeline": "CodePipeline",
    "codebuild": "CodeBuild", "codedeploy": "CodeDeploy", "stepfunctions": "StepFunctions",
    "sns": "SNS", "sqs": "SQS", "ecs": "ECS", "ecr": "ECR", "iam": "IAM", "mwaa": "MWAA",
    "apigateway": "ApiGateway", "apigatewayv2": "ApiGatewayV2", "apprunner": "AppRunner",
    "applicationautoscaling": "ApplicationAutoScaling", "dynamodb": "DynamoDB",
    "lambda_nodejs": "Lambda", "lambda_python": "Lambda",
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
    ("lambda_nodejs", "NodejsFunction"): "Function",
    ("lambda_python", "PythonFunction"): "Function",
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
    (regex(r"CodeCommitSource"), "Source", "CodeCommit"),
    (regex(r"GitHubSource"), "Source", "GitHub"),
    (regex(r"CodeStarConnection|BitBucketSource"), "Source", "CodeStarSourceConnection"),
    (regex(r"S3Source"), "Source", "S3"),
    (regex(r"EcrSource"), "Source", "ECR"),
    (regex(r"CodeBuild"), "Build", "CodeBuild"),
    (regex(r"ManualApproval"), "Approval", "Manual"),
    (regex(r"CloudFormation"), "Deploy", "CloudFormation"),
    (regex(r"CodeDeploy"), "Deploy", "CodeDeploy"),
    (regex(r"EcsDeploy"), "Deploy", "ECS"),
    (regex(r"LambdaInvoke"), "Invoke", "Lambda"),
    (regex(r"StepFunction"), "Invoke", "StepFunctions"),
)  # fmt: skip
_WORD = regex(r"(?:(?:self|this)\.)?[A-Za-z_]\w*")
_CAMEL = regex(r"[a-z][A-Za-z0-9]*")
_SCRIPTS = (".ts", ".js", ".mts", ".cts", ".mjs", ".cjs")
_EVENT_RULE = "AWS::Events::Rule"


def read_constructs(module: Module) -> tuple[Resource, ...]:
    """The resources that a module's constructs become; a variable's name is the resource's."""
    if not module.roots & {"aws_cdk", "monocdk"}:
        return ()
    objects = module.path.endswith(_SCRIPTS)
    found = [(call, _resource(call, objects=objects)) for call in module.calls if call.runs]
    made = [(call, resource) for call, resource in found if resource is not None]
    names = {(call.scope, resource.name) for call, resource in made}
    return tuple(_linked(module, call, resource, names) for call, resource in made)


def _resource(call: Call, *, objects: bool) -> Resource | None:
    kind = _kind(call)
    if not kind:
        return None
    line = call.span.line or 1
    given_nodes = {_pascal(k): _node(v, line, objects=objects) for k, v in call.kwargs}
    if kind == "AWS::CodeBuild::Project":
        given_nodes.update(_source_of(call, line))
    entries = {k: Entry(k, line, node) for k, node in given_nodes.items()}
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


def _source_of(call: Call, line: int) -> dict[str, Node]:
    """A build project's source as CloudFormation writes it, with the build's file or text."""
    spec = call.kw("build_spec")
    if spec is None or not (spec.is_call or spec.is_literal):
        return {}
    told = spec.items[0] if spec.is_call and spec.items else spec
    if told.is_call:  # `BuildSpec.fromObject({...})`: its keys are the file's own
        node = _map(line, **{k: _node(v, line) for k, v in told.kwargs})
    else:
        node = _node(told, line)
    return {"Source": _map(line, BuildSpec=node)}


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
    held = {(c.scope, t): c for c in reversed(module.calls) for t in c.targets}
    found = [_stage(v, lines.get(_named(v), line), call.scope, held) for v in items]
    for other in added:
        if other.method == "add_stage":
            whole = Value(other.text, is_call=True, kwargs=other.kwargs)
            found.append(_stage(whole, other.span.line or line, call.scope, held))
    return Node("list", line, children=tuple(found))


def _stage(value: Value, line: int, scope: str, held: Mapping[tuple[str, str], Call]) -> Node:
    """A stage; an action may stand in a variable that an earlier call gave its value."""
    name = value.get("stage_name")
    actions = value.get("actions")
    listed: list[Node] = []
    for action in actions.items if actions is not None else ():
        made = None if action.is_call else held.get((scope, action.text))
        if made is None:
            listed.append(_action(action, line))
        else:
            whole = Value(made.text, name=made.name, is_call=True, kwargs=made.kwargs)
            listed.append(_action(whole, made.span.line or line))
    return _map(line, Name=_text(name, line), Actions=Node("list", line, children=tuple(listed)))


def _action(value: Value, line: int) -> Node:
    kind = next(((c, p) for what, c, p in _ACTIONS if what.search(value.name or value.text)), None)
    category, provider = kind or ("Invoke", "Unknown")
    plain = {_pascal(k): _text(v, line) for k, v in value.kwargs}
    if "Project" in plain:
        plain["ProjectName"] = plain.pop("Project")
    branch = value.get("branch")
    if branch is not None and isinstance(branch.literal, str):
        plain["BranchName"] = _scalar(branch.literal, line)
    plain.pop("Branch", None)  # what a variable holds is not known
    names = _map(line, Category=_scalar(category, line), Provider=_scalar(provider, line))
    name = _text(value.get("action_name"), line)
    order = _text(value.get("run_order"), line)
    settings = _map(line, **plain)
    return _map(line, Name=name, ActionTypeId=names, Configuration=settings, RunOrder=order)


def _node(value: Value, line: int, *, objects: bool = False) -> Node:
    """A value as CloudFormation writes it; `objects` are TypeScript's, with keys in camel case."""
    if value.keys and value.items:
        pairs = zip((k.strip("'\"") for k in value.keys), value.items, strict=False)
        found = {
            k[:1].upper() + k[1:] if objects and _CAMEL.fullmatch(k) else k: _node(
                v, line, objects=objects
            )
            for k, v in pairs
        }
        return _map(line, **found)
    if value.items:
        listed = tuple(_node(v, line, objects=objects) for v in value.items)
        return Node("list", line, children=listed)
    if value.is_call and value.kwargs:
        named = {_pascal(k): _node(v, line, objects=objects) for k, v in value.kwargs}
        return _map(line, **named)
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
