"""Paths of one person's machine in text: home folders, drives, mounted Google Drives."""

from __future__ import annotations

import re

from msgspec import Struct

from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["PersonalPath", "find_personal_paths"]

_MAX_LINE = 20_000
_MAX_HITS = 200


class PersonalPath(Struct, frozen=True):
    """A path that exists on one person's machine only; `kind` is unix, windows or colab."""

    span: Span
    path: str
    kind: str


# Users of images, clusters and CI machines, which everyone who uses them has.
_SHARED = frozenset({
    "jovyan", "airflow", "runner", "vscode", "app", "appuser", "ubuntu", "ec2-user", "vagrant",
    "circleci", "node", "docker", "coder", "codespace", "gitpod", "mambauser", "condauser",
    "jenkins", "travis", "azureuser", "azureml", "sagemaker-user", "ray", "spark", "hadoop",
    "prefect", "mlflow", "worker", "nonroot", "notebook", "jupyter", "model-server", "container",
    "webapp", "service", "appuser1", "nobody", "root", "postgres", "linuxbrew", "onyxia", "dagster",
    "feast", "trino", "debian", "centos", "fedora", "opc", "admin", "shared", "default", "public",
    "user", "users", "username", "user_name", "your_name", "yourname", "your-name", "your_username",
    "your-username", "yourusername", "your_user", "youruser", "you", "me", "name", "someone",
    "somebody", "someuser", "foo", "bar", "path", "example", "test", "testuser", "guest", "xxx",
    "xxxx", "myuser", "my_user", "myname", "my_name", "myusername", "home", "dev", "developer",
    "workspace", "builder", "python", "bentoml", "databricks", "dbfs", "repos", "kaggle", "colab",
    "sandbox", "gcp", "aws", "triton-server", "nvidia", "mambaforge", "conda", "micromamba", "nix",
    "...", "..", ".", "src", "johndoe", "john", "jane", "janedoe", "alice", "bob", "jdoe", "alumno",
})  # fmt: skip
_UNIX = regex(
    r"(?<![\w.$}~:/-])(?:file://)?/(?:home|Users|(?:mnt/(?:host/)?|host_mnt/|cygdrive/)[a-z]/Users)/([^/\s\"'`,;:)(\]\[|&*?]{1,64})"
    r"(?:/[^\s\"'`,;)(]{0,200})?"
)
_WINDOWS = regex(
    r"(?<![A-Za-z0-9])[A-Za-z]:(?:\\\\?|/)(?:(Users|Documents and Settings)(?:\\\\?|/)"
    r"([^\\/\s\"'`]{1,64})|([A-Za-z0-9_. -]{1,60})(?:\\\\?|/)[^\s\"'`]{1,200})[^\s\"'`]{0,200}",
    re.IGNORECASE,
)
_COLAB = regex(r"(?<![\w./])/?(?:content/)(?:g?drive)/[^\s\"'`,;)(]{0,200}", re.IGNORECASE)
_PLACEHOLDER = regex(r"[<>{}$%*]|^\.+$|^x+$", re.IGNORECASE)
_URL_BEFORE = regex(r"[a-z]{2,6}://[^\s\"'<>]{0,300}$", re.IGNORECASE)
_SYSTEM = regex(
    r"^(?:program files|windows|programdata|app|src|data|workspace|tools|python\d*|git|temp|tmp|"
    r"hostedtoolcache|foo|bar|some|my|example|actions|a|d|msys64|cygwin|path|miniconda\d?|anaconda\d?)",
    re.IGNORECASE,
)


def find_personal_paths(
    text: str, path: str, *, cell: int | None = None, line: int = 1
) -> tuple[PersonalPath, ...]:
    """Absolute paths of one person's machine, at most one a line.

    Container, cluster and CI users (`/home/jovyan`), `~`, variables and placeholders
    (`/home/<user>`, `/Users/your_name`) are left out.

    Args:
        text: the text (of a notebook: one cell's source).
        path: the file.
        cell: the notebook cell.
        line: the line at which the text starts.
    """
    found: list[PersonalPath] = []
    for number, raw in enumerate(text.split("\n"), line):
        if "/" not in raw and "\\" not in raw:
            continue
        hit = _in_line(raw[:_MAX_LINE])
        if hit is not None:
            found.append(PersonalPath(Span(path, number, cell), hit[1][:200], hit[0]))
            if len(found) >= _MAX_HITS:
                break
    return tuple(found)


def _personal(user: str) -> bool:
    return not (_PLACEHOLDER.search(user) or user.lower() in _SHARED)


def _in_line(line: str) -> tuple[str, str] | None:
    if "/home/" in line or "/Users/" in line:
        for found in _UNIX.finditer(line):
            # `https://host/home/x` is an address, `/Users/Shared` everyone's.
            before = line[max(0, found.start() - 300) : found.start()]
            if _personal(found[1]) and not _URL_BEFORE.search(before):
                return "unix", found[0]
    if ":\\" in line or ":/" in line:
        for found in _WINDOWS.finditer(line):
            if found[1]:
                if _personal(found[2]):
                    return "windows", found[0]
            elif "\\" in found[0] and not _SYSTEM.match(found[3].strip()):
                # A plain folder on a drive; `C:/x` alone may be a URL's end or a test value.
                return "windows", found[0]
    if "drive/" in line.lower():
        mounted = _COLAB.search(line)
        if mounted and "content" in mounted[0].lower():
            return "colab", mounted[0]
    return None
