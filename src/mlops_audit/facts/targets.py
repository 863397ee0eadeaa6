"""All task targets of a tree: which reader reads which file, by its name."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

from mlops_audit.facts import docker, dvc, just, make, nox, precommit, taskfiles, tasks, tox
from mlops_audit.facts.taskfiles import Read
from mlops_audit.facts.types import Getter, Target, Unreadable
from mlops_audit.regex import regex

__all__ = ["read_targets"]


def _precommit(data: bytes, path: str, _get: Getter) -> Read:
    hooks = precommit.read_precommit(data, path)
    return hooks if isinstance(hooks, Unreadable) else precommit.hook_targets(hooks)


def _dvc(data: bytes, path: str, get: Getter) -> Read:
    pipeline = dvc.read_dvc_yaml(data, path, get)
    return pipeline if isinstance(pipeline, Unreadable) else dvc.dvc_targets(pipeline)


def _dockerfile(data: bytes, path: str, _get: Getter) -> Read:
    if not docker.is_dockerfile(path):
        return ()
    return docker.docker_target(docker.read_dockerfile(data, path))


def _compose(data: bytes, path: str, _get: Getter) -> Read:
    if not docker.is_compose(path):
        return ()
    services = docker.read_compose(data, path)
    return services if isinstance(services, Unreadable) else docker.compose_targets(services)


def _python_tasks(data: bytes, path: str, _get: Getter) -> Read:
    # Many projects have a tasks.py of another kind (Celery, Airflow).
    if path.endswith("tasks.py") and b"invoke" not in data and b"fabric" not in data:
        return ()
    return taskfiles.read_python_tasks(data, path)


def _plain(read: Callable[[bytes, str], Read]) -> Callable[[bytes, str, Getter], Read]:
    def reader(data: bytes, path: str, _get: Getter) -> Read:
        return read(data, path)

    return reader


Reader = Callable[[bytes, str, Getter], Read]
_TOML = _plain(tasks.read_toml_tasks)
_TOX = _plain(tox.read_tox)
# The pattern is matched against the path's end; several readers may read one file.
_READERS: tuple[tuple[str, tuple[Reader, ...]], ...] = (
    (r"(?:GNUm|[Mm])akefile(?:\.[\w.-]+)?|[\w.-]+\.makefile", (make.read_make,)),
    (r"\.?[Jj]ustfile|[\w.-]+\.just", (just.read_just,)),
    (r"tox\.(?:ini|toml)|setup\.cfg", (_TOX,)),
    (r"pyproject\.toml", (_TOML, _TOX)),
    (r"noxfile\.py", (_plain(nox.read_nox),)),
    (
        r"\.?mise(?:\.[\w-]+)?\.toml|(?:\.config/|\.)?mise/config\.toml|\.config/mise\.toml",
        (_TOML,),
    ),
    (r"(?:pixi|hatch)\.toml", (_TOML,)),
    (r"[Tt]askfile(?:\.dist)?\.ya?ml", (_plain(taskfiles.read_taskfile),)),
    (
        r"package\.json",
        (_plain(taskfiles.read_package_json), _plain(precommit.read_lint_staged)),
    ),
    (r"tasks\.py|duties\.py|dodo\.py|fabfile\.py", (_python_tasks,)),
    (r"Procfile(?:\.[\w-]+)?", (_plain(taskfiles.read_procfile),)),
    (r"(?i:mlproject)", (_plain(taskfiles.read_mlproject),)),
    (r"project\.yml", (_plain(taskfiles.read_spacy),)),
    (r"\.?lefthook(?:-local)?\.ya?ml", (_plain(precommit.read_lefthook),)),
    (r"\.pre-commit-config\.ya?ml", (_precommit,)),
    (r"\.lintstagedrc(?:\.json|\.ya?ml)?", (_plain(precommit.read_lint_staged),)),
    (
        r"\.husky/[\w-]+|\.?git-?hooks/[\w-]+|\.hooks/[\w-]+",
        (_plain(precommit.read_hook_script),),
    ),
    (r"dvc\.yaml", (_dvc,)),
    (r"[\w.-]*(?:[Dd]ockerfile|[Cc]ontainerfile)[\w.-]*", (_dockerfile,)),
    (r"[\w.-]*compose[\w.-]*\.ya?ml", (_compose,)),
)
_PATTERN = regex(
    "|".join(f"(?P<r{k}>(?:^|.*/)(?:{pattern}))$" for k, (pattern, _) in enumerate(_READERS))
)
_SNIFF = regex(r"\.(?:py|md|ipynb|csv|png|jpg|txt|html|js|ts|svg|rst)$")
_KEPT = regex(r"(?:noxfile|tasks|duties|dodo|fabfile)\.py$")


def read_targets(
    paths: Iterable[str], getter: Getter
) -> tuple[tuple[Target, ...], tuple[Unreadable, ...]]:
    """Read every task file among the paths.

    Args:
        paths: the tree's files.
        getter: bytes of a file by path, None where it cannot be read.

    Returns:
        The targets, file by file in the order of the sorted paths, and what could not be read.
    """
    targets: list[Target] = []
    unreadable: list[Unreadable] = []
    for path in sorted(paths):
        if _SNIFF.search(path) and not _KEPT.search(path):
            continue
        found = _PATTERN.match(path)
        if found is None or found.lastgroup is None:
            continue
        data = getter(path)
        if data is None:
            continue
        for read in _READERS[int(found.lastgroup[1:])][1]:
            result = read(data, posixpath.normpath(path), getter)
            if isinstance(result, Unreadable):
                if result not in unreadable:
                    unreadable.append(result)
            else:
                targets.extend(result)
    return tuple(targets), tuple(unreadable)
