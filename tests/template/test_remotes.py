"""DVC's shared remotes, each proven against a server of its protocol on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.template.support import Template, run

NAME = "demand-forecast-dvc"
URLS = {
    "s3": f"s3://{NAME}",
    "gs": f"gs://{NAME}",
    "azure": f"azure://{NAME}",
    "ssh": f"ssh://{NAME}/srv/dvc",
}
# Serves the files below a folder by SFTP to whoever holds the one key.
SSH_SERVER = """
import asyncio, sys
import asyncssh
folder, port, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
async def main():
    def sftp(connection):
        return asyncssh.SFTPServer(connection, chroot=folder)
    host = asyncssh.generate_private_key("ssh-ed25519")
    await asyncssh.listen("127.0.0.1", port, server_host_keys=[host],
                          authorized_client_keys=key, sftp_factory=sftp)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@dataclass(frozen=True)
class Server:
    """A storage on this machine, and how DVC is told to go there instead of to the real one."""

    command: tuple[str | Path, ...]
    settings: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)
    bucket: str = ""  # a program that makes the bucket or container


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def s3(project: Path, folder: Path, port: int) -> Server:
    """Moto's server."""
    del project, folder
    address = f"http://127.0.0.1:{port}"
    make = (
        "import botocore.session as b; b.get_session().create_client('s3', endpoint_url="
        f"'{address}').create_bucket(Bucket='{NAME}')"
    )
    return Server(
        ("uvx", "--from=moto[server]", "moto_server", "-H", "127.0.0.1", "-p", str(port)),
        {"endpointurl": address},
        {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        make,
    )


def gs(project: Path, folder: Path, port: int) -> Server:
    """An emulator of Google's storage."""
    del project, folder
    address = f"http://127.0.0.1:{port}"
    make = (
        "import json, urllib.request as u; u.urlopen(u.Request("
        f"'{address}/storage/v1/b?project=p', json.dumps({{'name': '{NAME}'}}).encode(), "
        "{'Content-Type': 'application/json'}))"
    )
    return Server(
        ("uvx", "gcp-storage-emulator", "start", "--host=127.0.0.1", f"--port={port}",
         "--in-memory"),
        {"endpointurl": address, "allow_anonymous_login": "true"},
        # The emulator does not speak gRPC, by which the kind of a bucket is asked.
        {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"},
        make,
    )  # fmt: skip


def azure(project: Path, folder: Path, port: int) -> Server:
    """Azurite, with an account of its own."""
    del project
    key = base64.b64encode(hashlib.sha256(str(folder).encode()).digest()).decode()
    said = (
        f"DefaultEndpointsProtocol=http;AccountName=local;AccountKey={key};"
        f"BlobEndpoint=http://127.0.0.1:{port}/local;"
    )
    make = (
        "from azure.storage.blob import BlobServiceClient as B; "
        f"B.from_connection_string('{said}').create_container('{NAME}')"
    )
    return Server(
        ("npx", "--yes", "--package=azurite", "azurite-blob", "--blobHost", "127.0.0.1",
         "--blobPort", str(port), "--location", folder, "--silent", "--skipApiVersionCheck",
         "--disableTelemetry"),
        {"connection_string": said},
        {"AZURITE_ACCOUNTS": f"local:{key}"},
        make,
    )  # fmt: skip


def ssh(project: Path, folder: Path, port: int) -> Server:
    """A server of SFTP, with a key made for it."""
    (folder / "srv/dvc").mkdir(parents=True)
    script, key = folder.parent / "server.py", folder.parent / "key"
    script.write_text(SSH_SERVER, encoding="utf-8")
    python = project / ".venv/bin/python"
    make = (
        "import sys, asyncssh; k = asyncssh.generate_private_key('ssh-ed25519'); "
        "k.write_private_key(sys.argv[1]); k.write_public_key(sys.argv[1] + '.pub')"
    )
    run(python, "-c", make, key, cwd=folder)
    return Server(
        (python, script, folder, str(port), f"{key}.pub"),
        {"url": f"ssh://someone@127.0.0.1:{port}/srv/dvc", "keyfile": str(key)},
    )


SERVERS: dict[str, Callable[[Path, Path, int], Server]] = {
    "s3": s3,
    "gs": gs,
    "azure": azure,
    "ssh": ssh,
}


@contextmanager
def running(server: Server, port: int, folder: Path) -> Iterator[None]:
    """The server, until the test is over."""
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            list(map(str, server.command)),
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **server.env},
            cwd=folder,
            start_new_session=True,  # what starts the server may be another process than itself
        )
        try:
            end = time.monotonic() + 120
            while time.monotonic() < end and process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.2)
            else:
                pytest.fail(f"{server.command} does not answer: {log.read_text('utf-8')[-2000:]}")
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)


def stored(project: Path) -> dict[str, str]:
    """The digests of what DVC keeps."""
    paths = [*project.glob("data/[ri]*/*"), *project.glob("data/processed/*.parquet")]
    paths += project.glob("models/*")
    return {
        str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file()
    }


def level_with(project: Path) -> tuple[int, dict[str, str]]:
    """The level that the audit sees, and what it says of each practice."""
    command = [sys.executable, "-m", "mlops_audit", "check", "-f", "json", str(project)]
    said = json.loads(run(*command, cwd=project).stdout)
    return said["level"]["reached"], {p["id"]: p["outcome"] for p in said["practices"]}


@pytest.mark.parametrize("remote", URLS)
def test_the_address_is_the_answer(remote: str, template: Template, tmp_path: Path) -> None:
    """The derived address or a given one stands in DVC's settings, with the package it needs."""
    project = template.generate(tmp_path / "derived", {"remote": remote})
    assert f"url = {URLS[remote]}\n" in (project / ".dvc/config").read_text(encoding="utf-8")
    assert f'"dvc[{remote}]>=' in (project / "pyproject.toml").read_text(encoding="utf-8")
    assert URLS[remote] in (project / "data/README.md").read_text(encoding="utf-8")
    given = f"{URLS[remote]}/some/folder"
    other = template.generate(tmp_path / "given", {"remote": remote, "remote_url": given})
    assert f"url = {given}\n" in (other / ".dvc/config").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("remote", URLS)
def test_what_is_pushed_can_be_pulled_elsewhere(
    remote: str, template: Template, tmp_path: Path
) -> None:
    """Set-up and pipeline need no storage; a clone gets the same bytes from it."""
    project = template.generate(tmp_path / "project", {"remote": remote, "data": "own"})
    run("make", "setup", "pipeline", "lint", "test", cwd=project)
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=First model", cwd=project)
    folder, port = tmp_path / "server" / "files", free_port()
    folder.mkdir(parents=True)
    server = SERVERS[remote](project, folder, port)
    tool = (".venv/bin/dvc", "remote", "modify", "--local", "storage")
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", project, clone, cwd=tmp_path)
    run("make", "setup", cwd=clone)
    with running(server, port, folder.parent):
        if server.bucket:
            run(project / ".venv/bin/python", "-c", server.bucket, cwd=project, env=server.env)
        for place in (project, clone):
            for name, value in server.settings.items():
                run(*tool, name, value, cwd=place)
        run("make", "push", cwd=project, env=server.env)
        assert stored(clone) == {}
        run(".venv/bin/dvc", "pull", cwd=clone, env=server.env)
    assert len(stored(clone)) >= 4
    assert stored(clone) == stored(project)
    assert run("git", "status", "--porcelain", cwd=clone).stdout == ""
    reached, outcomes = level_with(project)
    assert reached == 2
    assert outcomes["VER03"] == "pass"
