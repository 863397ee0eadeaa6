"""Jenkins: declarative and scripted Jenkinsfiles, read by a tolerant scanner."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.facts.cicommon import Script, broken, joined
from mlops_audit.facts.decoding import decode
from mlops_audit.facts.groovy import Block, Token, scan_groovy
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["read_jenkins"]

_SHELLS = frozenset({"sh", "bat", "powershell", "pwsh"})
_ARGUMENTS = frozenset({"(", "script", "label", "returnStatus", "returnStdout", "encoding"})
_SOFT_RESULTS = frozenset({"SUCCESS", "UNSTABLE", "null"})
_TRIGGERS = {
    "cron": TriggerKind.SCHEDULE,
    "pollSCM": TriggerKind.PUSH,
    "githubPush": TriggerKind.PUSH,
    "gitlab": TriggerKind.PUSH,
    "bitbucketPush": TriggerKind.PUSH,
    "upstream": TriggerKind.WORKFLOW,
    "GenericTrigger": TriggerKind.EVENT,
}


class _Context(Struct, frozen=True):
    path: str
    cwd: str = ""
    soft: str = ""
    condition: str = ""
    env: dict[str, str] = field(default_factory=dict)


def read_jenkins(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The pipeline of one Jenkinsfile: a job for each stage.

    What starts it is set up in Jenkins besides the triggers that it names, so one trigger is
    always EXTERNAL. A file that cannot be scanned is a workflow without jobs.
    """
    del getter  # shared libraries lie in other repositories
    text = decode(data)
    tree = scan_groovy(text) if text is not None else None
    if tree is None:
        return broken("jenkins", Unreadable(Span(path), "no text, too long or nested too deep"))
    span = Span(path, tree[0].line if tree else 1)
    top = [child for block in tree if block.name == "pipeline" for child in block.children or ()]
    context = _Context(path, env=_environment(top))
    triggers = (*_triggers(tree, path), Trigger(TriggerKind.EXTERNAL, span))
    jobs = tuple(_jobs(tree, context, _image(top)))
    off = "" if any(job.steps for job in jobs) else "no steps"
    return (Workflow("jenkins", path, path, span, triggers, jobs, context.env, disabled=off),)


def _environment(blocks: list[Block]) -> dict[str, str]:
    found: dict[str, str] = {}
    for block in blocks:
        if block.name == "environment":
            for child in block.children or ():
                value = child.first_string()
                if child.name and value and "credentials" not in (t.text for t in child.tokens):
                    found[child.name] = value
    return found


def _image(blocks: list[Block]) -> str:
    for block in blocks:
        if block.name == "agent":
            for inner in _all(block.children or []):
                if inner.name in ("image", "docker") and inner.first_string():
                    return inner.first_string()
    return ""


def _all(blocks: list[Block]) -> Iterator[Block]:
    pending = list(reversed(blocks))
    while pending:
        block = pending.pop()
        yield block
        pending.extend(reversed(block.children or []))


def _triggers(tree: list[Block], path: str) -> tuple[Trigger, ...]:
    found: list[Trigger] = []
    for block in _all(tree):
        inside = block.children if block.name == "triggers" else None
        calls = inside or (
            [block] if any(t.text == "pipelineTriggers" for t in block.tokens) else []
        )
        for call in calls:
            for index, token in enumerate(call.tokens):
                kind = _TRIGGERS.get(token.text) if token.kind == "word" else None
                if kind is not None:
                    found.append(_trigger(kind, token, call.tokens[index + 1 :], path))
    return tuple(found)


def _trigger(kind: TriggerKind, token: Token, rest: tuple[Token, ...], path: str) -> Trigger:
    text = next((t.text for t in rest if t.kind == "string"), "")
    span = Span(path, token.line)
    if kind is TriggerKind.SCHEDULE:
        line = next((part.strip() for part in text.splitlines() if part.strip()), "")
        return Trigger(kind, span, cron=line, disabled="" if line else "an empty schedule")
    if kind is TriggerKind.WORKFLOW:
        return Trigger(kind, span, after=tuple(name.strip() for name in text.split(",")))
    return Trigger(kind, span, types=(token.text,))


def _jobs(tree: list[Block], context: _Context, image: str) -> Iterator[Job]:
    """A job for each innermost stage, and one for what stands outside of stages."""
    for stage, before in list(_stages(tree, ())):
        yield _stage(stage, before, context, image)
    loose = tuple(_steps(tree, context, top=True))
    if loose:
        yield Job("pipeline", loose[0].span, loose, image=image)


def _stages(
    blocks: list[Block], before: tuple[str, ...]
) -> Iterator[tuple[Block, tuple[str, ...]]]:
    """The innermost stages in order, each with those that run before it."""
    for block in blocks:
        if block.name == "post":
            continue
        if block.name == "stage" and not any(b.name == "stage" for b in _all(block.children or [])):
            yield block, before
            before = (block.first_string() or "stage",)
        elif block.name == "parallel":
            names: list[str] = []
            for branch in block.children or []:
                for stage, needs in _stages([branch], before):
                    names.append(stage.first_string() or "stage")
                    yield stage, needs
            before = tuple(names) or before
        else:
            # A `when` of an outer stage holds for the stages in it.
            outer = block.named("when") if block.name == "stage" else []
            found = [
                (
                    Block(stage.tokens, stage.line, [*outer, *(stage.children or [])])
                    if outer
                    else stage,
                    needs,
                )
                for stage, needs in _stages(block.children or [], before)
            ]
            yield from found
            if found:
                before = (found[-1][0].first_string() or "stage",)


def _stage(stage: Block, needs: tuple[str, ...], context: _Context, image: str) -> Job:
    children = stage.children or []
    own = _environment(children)
    context = replace(context, env={**context.env, **own})
    off, condition, triggers = _when(stage.named("when"), context.path)
    steps = tuple(_steps(children, context))
    asks = any(b.name == "input" for b in _all(children))
    return Job(
        stage.first_string() or "stage",
        Span(context.path, stage.line),
        steps,
        needs,
        condition,
        image=_image(children) or image,
        env=own,
        manual=asks,
        triggers=triggers,
        disabled=off,
    )


def _when(blocks: list[Block], path: str) -> tuple[str, str, tuple[Trigger, ...]]:
    """A stage's `when`: why it never holds, its text, and the triggers that it names."""
    words = [
        " ".join(t.text for t in b.tokens) for block in blocks for b in _all(block.children or [])
    ]
    condition = " ".join(words)[:200]
    negated = any(word == "not" for word in words)
    for block in blocks:
        for child in block.children or ():
            inner = " ".join(t.text for c in child.children or () for t in c.tokens)
            if child.name == "expression" and inner in ("false", "return false"):
                return "`when { expression { false } }`", condition, ()
    if negated or len(blocks) != 1 or len(blocks[0].children or ()) != 1:
        return "", condition, ()
    child = (blocks[0].children or [])[0]
    span = Span(path, child.line)
    kinds = {
        "branch": Trigger(TriggerKind.EXTERNAL, span, branches=(child.first_string(),)),
        "buildingTag": Trigger(TriggerKind.TAG, span),
        "tag": Trigger(TriggerKind.TAG, span, tags=(child.first_string(),)),
        "changeRequest": Trigger(TriggerKind.PULL_REQUEST, span),
    }
    if child.name == "triggeredBy" and "TimerTrigger" in condition:
        return "", condition, (Trigger(TriggerKind.SCHEDULE, span),)
    found = kinds.get(child.name)
    return "", condition, (found,) if found is not None else ()


def _steps(blocks: list[Block], context: _Context, *, top: bool = False) -> Iterator[Step]:
    """The steps of a block; with `top`, those outside of all stages."""
    for index, block in enumerate(blocks):
        if block.name in ("when", "environment", "agent", "triggers", "options", "parameters"):
            continue
        if top and block.name == "stage":
            continue
        if block.children is None:
            yield from _calls(block, context)
            continue
        yield from _calls(block, replace(context, condition=context.condition or "condition"))
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        yield from _steps(block.children, _within(block, following, context), top=top)


def _within(block: Block, following: Block | None, context: _Context) -> _Context:
    texts = [token.text for token in block.tokens]
    if block.name == "dir" and block.first_string():
        return replace(context, cwd=joined(context.cwd, block.first_string()))
    if block.name == "warnError":
        return replace(context, soft="warnError")
    if block.name == "catchError" and "buildResult" in texts:
        result = "".join(texts[texts.index("buildResult") :][2:3])
        if result in _SOFT_RESULTS:
            return replace(context, soft=f"catchError buildResult {result}")
    if block.name == "try" and following is not None and following.name == "catch":
        words = {token.text for inner in _all(following.children or []) for token in inner.tokens}
        if not words & {"throw", "error", "FAILURE"}:
            return replace(context, soft="try with a catch that goes on")
    if block.name == "post" or context.condition.startswith("post"):
        return replace(context, condition=f"post {block.name}".strip())
    if block.name in ("if", "else"):
        return replace(context, condition=" ".join(texts)[:200])
    return context


def _calls(block: Block, context: _Context) -> Iterator[Step]:
    for index, token in enumerate(block.tokens):
        if token.kind == "word" and token.text in _SHELLS:
            step = _shell(token, block.tokens[index + 1 :], context)
            if step is not None:
                yield step
    if block.name in (
        "build",
        "docker.build",
        "junit",
        "recordIssues",
        "archiveArtifacts",
        "input",
    ):
        yield Step(
            Span(context.path, block.line),
            uses=block.name,
            inputs={"": block.first_string()},
            condition=context.condition,
        )


def _shell(word: Token, rest: tuple[Token, ...], context: _Context) -> Step | None:
    if not rest or (rest[0].kind != "string" and rest[0].text not in _ARGUMENTS):
        return None
    names = [token.text for token in rest]
    script = rest[names.index("script") + 1 :] if "script" in names else rest
    text = next((token for token in script if token.kind == "string"), None)
    if text is None:
        return None
    status = "returnStatus:true" in "".join(names)
    # Jenkins runs `sh -xe`, unless the script names its interpreter itself.
    errexit = word.text == "sh" and not text.text.lstrip().startswith("#!")
    soft = "returnStatus: true" if status else context.soft
    shell = Script(context.path, context.cwd, errexit=errexit, literal=context.env)
    return Step(
        Span(context.path, word.line),
        word.text,
        text.text,
        shell.parse(text.text, text.line),
        condition=context.condition,
        soft=bool(soft),
        why_soft=soft,
        cwd=context.cwd,
    )
