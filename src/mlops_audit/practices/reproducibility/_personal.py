"""Paths that exist on one person's machine only."""

from __future__ import annotations

import re

from mlops_audit.regex import regex

__all__ = ["personal_path"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Accounts of images, runners and platforms, and words that stand for "your name here".
_NOBODY = _words(
    "jovyan airflow app appuser app-user app_user user users username user_name user-name"
    " runner vscode ubuntu ec2-user ec2_user sagemaker-user sagemaker_user azureuser jenkins"
    " nonroot worker node docker spark prefect mambauser micromamba dagster circleci vagrant"
    " coder codespace gitpod webapp python default model-server model_server model mlflow dev"
    " developer root me you your yourname your_name your-name your_username your-username xxx xx"
    " x name foo bar myuser myname my_name person someone somebody nobody kubeflow gradio ray"
    " service admin site runtime function functions sbx_user1051 shared public all student"
    " students lambda_function code zeppelin hadoop hdfs postgres nginx www-data container"
    " nvidia rapids tensorflow tf-user torch pytorch workspace conda data project jupyter"
    " emr-notebook databricks colab domino paperspace src"
)
_UNIX = regex(
    r"(?<![\w.:/~@%$}>*-])(?:file://)?/(?:home|Users)/([A-Za-z0-9][\w.@+-]{0,60})(?=/|$|[\s\"',;:)])"
)
_MOUNTED = regex(
    r"(?<![\w.:/~@-])/(?:(?:run/desktop/)?mnt/(?:host/)?[c-z]|c|cygdrive/[c-z]|host_mnt/[c-z])"
    r"/Users/([A-Za-z0-9][\w .@+-]{0,60})/"
)
_WINDOWS = regex(
    r"(?<![A-Za-z0-9/])([A-Za-z]):(?:\\{1,2}|/(?!/))([\w .$+-]{1,60})(\\{1,2}|/)[\w .\\/-]"
)
_COLAB = regex(
    r"/content/(?:g?drive|MyDrive)(?:/(?:MyDrive|My ?Drive|Shareddrives))?|\bdrive\.mount\("
)
_WINDOWS_COMMON = frozenset(
    {"windows", "program files", "program files (x86)", "programdata", "temp", "tmp", "path"}
)


def personal_path(text: str) -> str:
    """The first path in a text that only one person's machine has, or an empty string."""
    if "/" not in text and "\\" not in text and "drive.mount(" not in text:
        return ""
    for pattern in (_UNIX, _MOUNTED):
        for found in pattern.finditer(text):
            name = found[1].lower().strip()
            # A workspace folder of a platform is named after a mail address.
            if name not in _NOBODY and "@" not in name:
                return found[0].strip()
    for found in _WINDOWS.finditer(text):
        folder = found[2].strip().lower()
        if folder in _WINDOWS_COMMON or not re.match(r"[\w$]", folder):
            continue
        rest = text[found.end(2) :].strip("\\/")
        owner = re.split(r"[\\/]", rest, maxsplit=1)[0].strip().lower()
        if folder == "users" and owner in _NOBODY:
            continue
        return found[0].strip()
    colab = _COLAB.search(text)
    return colab[0] if colab else ""
