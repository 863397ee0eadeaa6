"""The audit itself: a tree and a configuration in, a `Report` out; nothing is printed here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit import __version__
from mlops_audit.config import CONFIG_FILES, Config, ConfigError, load_config, today
from mlops_audit.maturity import MaturityModel, Names, Settings, evaluate, load_model, model_names
from mlops_audit.model import (
    Attestation,
    Diagnostic,
    Evidence,
    Finding,
    Loop,
    ModelResult,
    Outcome,
    Practice,
    ProjectInfo,
    Report,
    RepositoryInfo,
    RolesInfo,
    Span,
    Strength,
    Verdict,
    Waiver,
    not_applicable,
    passed,
    sentence,
)
from mlops_audit.schema import nearest

if TYPE_CHECKING:
    from mlops_audit.graph import Project
    from mlops_audit.graph.roles import Roles
    from mlops_audit.judging import Judged
    from mlops_audit.tree import Tree

__all__ = ["Request", "audit", "check", "read_config", "settings_of"]

_WITHOUT_ROLE = {
    "training": "nothing here trains a model",
    "prediction": "nothing here predicts for use",
    "application": "this is a library for others, with no environment or data of its own",
}


class Request(Struct, frozen=True):
    """What a call may ask beyond the configuration.

    `target` is a level of the first model, `evidence` the weakest strength that counts,
    `practices` what to judge in place of the whole catalogue; `cached` keeps facts of code and
    the last reports between runs, in the user's cache folder; `pictures` asks for what is there
    to be looked at: the loop, and what the other models say.
    """

    target: int | None = None
    evidence: Strength = Strength.ATTESTED
    practices: tuple[Practice, ...] | None = None
    cached: bool = False
    pictures: bool = False


def audit(
    tree: Tree,
    config: Config | None = None,
    *,
    models: Sequence[MaturityModel] = (),
    project: str | None = None,
    request: Request | None = None,
    jobs: int | None = None,
) -> Report:
    """Audit a tree.

    Args:
        tree: the files, from `mlops_audit.tree.open_tree`.
        config: the settings, from `read_config`; the defaults without.
        models: maturity models, the first one gives the level; the ladder without any.
        project: folder of one project of a repository that holds several.
        request: target, strength of evidence, and which practices.
        jobs: how many processes may read a large repository; the report is the same for any.

    Returns:
        Everything that a report format may show; the same input gives the same value.

    Raises:
        ConfigError: the configuration or the call names a practice or project that does not
            exist, or attests what the repository itself can show.
    """
    request = request or Request()
    if not request.cached or request.practices is not None:
        return _audit(tree, config or Config(), models, project, request, jobs)
    from mlops_audit.remember import keep, key_of, recall  # noqa: PLC0415 -- only where wanted

    asked = (project, request.target, request.evidence, request.pictures)
    key = key_of(tree, config or Config(), models, asked)
    report = recall(key) if key else None
    if report is None:
        report = _audit(tree, config or Config(), models, project, request, jobs)
        if key:
            keep(key, report)
    return report


def _audit(
    tree: Tree,
    config: Config,
    models: Sequence[MaturityModel],
    project: str | None,
    request: Request,
    jobs: int | None,
) -> Report:
    from mlops_audit.graph.ownfiles import OwnFiles  # noqa: PLC0415 -- only a real audit needs it

    folder = _folder(tree, project)
    own = OwnFiles(tree, config, folder, cached=request.cached, jobs=jobs)
    # The code is being read now, elsewhere if it can be: the rest of the tool is loaded meanwhile.
    from mlops_audit.graph import Project  # noqa: PLC0415 -- as above
    from mlops_audit.judging import judge_all  # noqa: PLC0415 -- as above
    from mlops_audit.practices import registry  # noqa: PLC0415 -- the same

    listed = request.practices if request.practices is not None else registry().practices
    ladder = load_model("ladder")
    config = Names(listed, ladder, models).checked(config)
    _check_tools(config)
    loaded = Project(own)
    loaded.read_ahead()
    roles = loaded.roles.info() if tree.entries else RolesInfo("none", trains=False, serves="none")
    projects = _projects(tree, loaded, folder)
    judged = judge_all(loaded, listed, jobs)
    findings = _findings(judged, listed, loaded.roles, projects, config)
    settings = replace(settings_of(config), target=request.target, evidence=request.evidence)
    assessment = evaluate(findings, models, ladder=ladder, roles=roles, settings=settings)
    beside: tuple[ModelResult, ...] = ()
    if request.pictures:
        every = [load_model(name) for name in model_names()]
        seen = {result.name for result in assessment.models}
        others = evaluate(findings, every, ladder=ladder, roles=roles, settings=settings)
        beside = tuple(result for result in others.models if result.name not in seen)
    if not tree.entries:
        level = replace(assessment.level, remark="There is nothing here to audit: no file at all.")
        assessment = replace(assessment, level=level)
    diagnostics = [*judged.told, *loaded.diagnostics, *registry().broken, *judged.faults]
    return Report(
        repository=_repository(tree, judged),
        roles=roles,
        projects=projects,
        assessment=assessment,
        findings=findings,
        diagnostics=_sorted([*diagnostics, *_expired(config)]),
        attestations=_attestations(config),
        waivers=config.waivers,
        version=__version__,
        loop=_loop(loaded, findings) if request.pictures else None,
        beside=beside,
    )


def check(path: str = ".", *, rev: str | None = None) -> Report:
    """Audit a folder or a revision with the configuration that lies in it.

    Args:
        path: the repository's folder.
        rev: a commit, tag or branch; the work tree without.

    Raises:
        ConfigError: the configuration is wrong.
        mlops_audit.tree.TreeError: there is no such folder or revision.
    """
    import os  # noqa: PLC0415 -- the day comes from outside; nothing below reads it

    from mlops_audit.tree import open_tree  # noqa: PLC0415 -- as above

    tree = open_tree(path, rev)
    config, diagnostics = read_config(tree, today(os.environ))
    report = audit(tree, config)
    return replace(report, diagnostics=_sorted([*report.diagnostics, *diagnostics]))


def read_config(tree: Tree, day: date) -> tuple[Config, tuple[Diagnostic, ...]]:
    """Read the configuration of an audited tree, at its revision.

    Args:
        tree: the audited files.
        day: today, for what has expired.

    Raises:
        ConfigError: an unknown key, a wrong value, or an entry that nobody answers for.
    """
    contents = {name: tree.read(name) for name in CONFIG_FILES if name in tree.entries}
    return load_config(
        {name: c if isinstance(c, bytes) else None for name, c in contents.items()}, day=day
    )


def settings_of(config: Config) -> Settings:
    """What a configuration asks of the evaluation."""
    approver = config.promotion_approver
    approved = approver is not None and not approver.expired
    return Settings(
        require=config.require,
        approved=frozenset([approver.practice] if approver and approved else ()),
        not_needed=config.canvas,
    )


def _findings(
    judged: Judged,
    practices: Iterable[Practice],
    roles: Roles,
    projects: Sequence[ProjectInfo],
    config: Config,
) -> tuple[Finding, ...]:
    attested = {a.practice: a for a in config.attestations if not a.expired}
    folders = [p.path for p in projects]
    findings: list[Finding] = []
    for practice in practices:
        verdict = _by_role(practice, judged.verdicts[practice.id], roles)
        strength = Strength.FOUND if verdict.outcome in _SHOWN else None
        word = attested.get(practice.id)
        if word is not None and verdict.outcome not in _HOLDS:
            verdict, strength = _attested(word, config), Strength.ATTESTED
        verdict = replace(verdict, reason=sentence(verdict.reason))
        findings.append(Finding(practice, verdict, strength, _project_of(verdict, folders)))
    return tuple(findings)


_SHOWN = (Outcome.PASS, Outcome.PARTIAL)
_HOLDS = (Outcome.PASS, Outcome.NOT_APPLICABLE)


def _loop(project: Project, findings: Iterable[Finding]) -> Loop:
    """The loop, with the verdicts that are reported."""
    from mlops_audit.graph.loop import loop_of  # noqa: PLC0415 -- few formats draw it

    return loop_of(project, {f.practice.id: f.verdict for f in findings})


def _by_role(practice: Practice, verdict: Verdict, roles: Roles) -> Verdict:
    """Make a fail `n/a` where the practice's role is missing; what was shown stays shown.

    In a library for others a part of a practice is what it offers, not what it does, so only a
    pass is shown there (practices.md, rule 5).
    """
    hidden = {Outcome.FAIL, Outcome.UNKNOWN}
    if roles.kind == "library":
        hidden.add(Outcome.PARTIAL)
    if verdict.outcome not in hidden:
        return verdict
    lacking = [_WITHOUT_ROLE[need] for need in practice.needs if not roles.has(need)]
    return not_applicable(f"does not apply: {lacking[0]}") if lacking else verdict


def _attested(word: Attestation, config: Config) -> Verdict:
    place = Span(config.source or ".", config.places.get(f"attestation:{word.practice}"))
    detail = f"{word.owner} attests until {word.expires}: {word.reason}"
    return passed(f"Attested by {word.owner}: {word.reason}", Evidence(place, detail))


def _project_of(verdict: Verdict, folders: Sequence[str]) -> str | None:
    """The project whose evidence decided, where a repository holds several."""
    if len(folders) < 2 or verdict.outcome not in _SHOWN:  # noqa: PLR2004 -- several
        return None
    path = verdict.evidence[0].span.path
    holding = [f for f in folders if f in (".", path) or path.startswith(f"{f}/")]
    return max(holding, key=len) if holding else None


def _check_tools(config: Config) -> None:
    """A wrong row is the configuration's fault, and no practice's."""
    if not config.tools:
        return
    from mlops_audit.graph.catalogue import (  # noqa: PLC0415 -- as above
        CatalogueError,
        load_catalogue,
    )

    try:
        load_catalogue(config.tools)
    except CatalogueError as error:
        raise ConfigError(f"{config.source or 'configuration'}: tools: {error}") from error


def _folder(tree: Tree, project: str | None) -> str:
    """The project's folder as the graph takes it: empty for the whole tree."""
    folder = (project or "").strip("/")
    if folder in ("", "."):
        return ""
    if not any(path.startswith(f"{folder}/") for path in tree.entries):
        folders = {path.rpartition("/")[0] for path in tree.entries} - {""}
        raise ConfigError(f"no project lies at {project!r}{nearest(folder, folders)}")
    return folder


def _projects(
    tree: Tree,
    loaded: Project,
    folder: str,
) -> tuple[ProjectInfo, ...]:
    if folder:
        return (ProjectInfo(folder, folder.rpartition("/")[2]),)
    found = [ProjectInfo(p.path, p.name) for p in loaded.projects]
    return tuple(sorted(found, key=lambda p: p.path)) or (ProjectInfo(".", tree.name),)


def _repository(tree: Tree, judged: Judged) -> RepositoryInfo:
    git = tree.git
    unread = {d.path for d in judged.told if d.path in tree.entries}
    unread |= {entry.path for entry in tree.entries.values() if entry.absent}
    return RepositoryInfo(
        path=tree.name,
        commit=git.commit if git else None,
        dirty=git.dirty if git else False,
        files=len(tree.entries),
        unread=len(unread),
        remote_url=git.remote_url if git else None,
    )


def _attestations(config: Config) -> tuple[Attestation, ...]:
    approver = config.promotion_approver
    return (*config.attestations, *((approver,) if approver else ()))


def _expired(config: Config) -> list[Diagnostic]:
    entries: list[tuple[str, str, Waiver | Attestation]] = [
        *(("waiver", f"waiver:{w.practice}", w) for w in config.waivers),
        *(("attestation", f"attestation:{a.practice}", a) for a in config.attestations),
    ]
    if config.promotion_approver:
        entries.append(("approval", "promotion-approver", config.promotion_approver))
    return [
        Diagnostic(
            config.source or ".",
            f"the {kind} of {entry.practice} by {entry.owner} expired on {entry.expires}"
            " and does not count",
            config.places.get(place),
        )
        for kind, place, entry in entries
        if entry.expired
    ]


def _sorted(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(set(diagnostics), key=lambda d: (d.path, d.line or 0, d.message)))
