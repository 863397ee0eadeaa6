"""What the readers of container and platform files give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.docker import (
    compose_targets,
    docker_target,
    is_dockerfile,
    read_compose,
    read_containers,
    read_deploy_file,
    read_dockerfile,
)
from mlops_audit.facts.types import Unreadable

DOCKERFILE = b"""\
# syntax=docker/dockerfile:1
ARG PY=3.11
FROM --platform=linux/amd64 python:${PY}-slim AS build
WORKDIR /app
RUN --mount=type=cache,target=/x pip install -r requirements.txt \\
    # a comment
    && pip install . || true
RUN <<EOF
dvc pull
dvc repro
EOF
COPY --chown=a:b src pyproject.toml ./
FROM build
COPY --from=build /app /app
ENV A=1 B="two words"
ENV OLD style
EXPOSE 80
USER me
HEALTHCHECK --interval=5s CMD curl -f http://localhost/health
ENTRYPOINT ["uvicorn"]
CMD ["app:app", "--port", "80"]
"""
COMPOSE = b"""\
services:
  api:
    build: {context: ./app, dockerfile: Dockerfile.api}
    command: uvicorn app:app
    environment: [A=1, B]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: [CMD, curl, x]}
    ports: ["80:80"]
  db:
    image: postgres:15
    environment: {POSTGRES_PASSWORD: postgres}
"""


def test_dockerfile() -> None:
    """Stages, ARG values, RUN with comments and heredocs, COPY, and what a container starts."""
    found = read_dockerfile(DOCKERFILE, "Dockerfile")
    build, last = found.stages
    assert (build.name, build.base, build.span.line) == ("build", "python:3.11-slim", 3)
    assert [(" ".join(c.argv), c.span.line, c.soft) for c in build.runs] == [
        ("pip install -r requirements.txt", 5, True),
        ("pip install .", 7, True),
        ("true", 7, False),
        ("dvc pull", 9, True),
        ("dvc repro", 10, False),
    ]
    assert build.copies[0].sources == ("src", "pyproject.toml")
    assert last.copies[0].origin == "build"
    assert dict(last.env) == {"A": "1", "B": "two words", "OLD": "style"}
    assert (last.workdir, last.ports) == ("/app", ("80",))
    assert last.healthcheck[0].program == "curl"
    assert [c.argv for c in last.starts] == [("uvicorn", "app:app", "--port", "80")]
    assert docker_target(found)[0].inputs == ("src", "pyproject.toml")


def test_a_health_check_goes_on_in_the_next_line() -> None:
    """The command of a HEALTHCHECK is read where a backslash breaks its line."""
    text = b"FROM a\nHEALTHCHECK --interval=5s \\\n  --timeout=3s \\\n  CMD curl -f http://x/ping\n"
    made = read_dockerfile(text, "Dockerfile")
    assert made.stages[0].healthcheck[0].program == "curl"


def test_compose() -> None:
    """Services know build, command, environment, health check and what they need."""
    services = read_compose(COMPOSE, "deploy/docker-compose.yml")
    assert not isinstance(services, Unreadable)
    api, db = services
    assert (api.context, api.dockerfile) == ("deploy/app", "deploy/app/Dockerfile.api")
    assert [(k, v) for k, v, _ in api.environment] == [("A", "1"), ("B", "")]
    assert api.healthcheck[0].argv == ("curl", "x")
    assert (api.needs, db.image) == (("db",), "postgres:15")
    assert compose_targets(services)[0].commands[0].program == "uvicorn"


def test_other_files() -> None:
    """Dev containers (with comments), Apptainer and platform files are read; names decide."""
    text = b'{// c\n"build": {"dockerfile": "D"}, "postCreateCommand": "make setup",}'
    found = read_deploy_file(text, ".devcontainer/devcontainer.json")
    assert not isinstance(found, Unreadable | None)
    assert (found.dockerfile, found.commands[0].argv) == (".devcontainer/D", ("make", "setup"))
    text = b"Bootstrap: docker\nFrom: python:3\n%post\npip install x\n"
    found = read_deploy_file(text, "x.def")
    assert not isinstance(found, Unreadable | None)
    assert (found.image, found.commands[0].span.line) == ("python:3", 4)
    names = ["Dockerfile", "a/Dockerfile.gpu", "x.Dockerfile", "Containerfile", "dockerfile-cpu"]
    assert all(is_dockerfile(n) for n in names)
    assert is_dockerfile("DockerfileFlask")
    assert is_dockerfile("serving/Dockerfile_gpu")
    assert not is_dockerfile("Dockerfile.md")
    assert not is_dockerfile("DockerfileBuilder.ts")
    assert not is_dockerfile("dockerfiles")
    files = {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE, "flake.nix": b"{}"}
    tree = read_containers(files, files.get)
    assert (len(tree.dockerfiles), len(tree.services), tree.deployments[0].kind) == (1, 2, "nix")


@given(st.binary(max_size=150) | st.text('FROMRUN \n\\<["$', max_size=80).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_dockerfile(b"FROM a\nRUN " + data, "Dockerfile")
    read_dockerfile(data, "Dockerfile")
    read_compose(data, "compose.yml")
    for name in ("devcontainer.json", "x.def", "app.yaml", "fly.toml"):
        read_deploy_file(data, name)
