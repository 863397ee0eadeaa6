"""Commands taken out of their wrappers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_audit.facts.command import python_target, unwrap
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command
from mlops_audit.model import Span


def inner(text: str) -> str:
    """Give the innermost words of a command line."""
    return " ".join(unwrap(parse_shell(text, path="x.sh")[0]).argv)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uv run pytest -q", "pytest -q"),
        ("uv run --frozen --group dev -p 3.12 pytest -m slow", "pytest -m slow"),
        ("uv --directory x run -m pytest -q", "python -m pytest -q"),
        ("uv run train.py --lr 1", "python train.py --lr 1"),
        ("uv sync", "uv sync"),
        ("uvx ruff@latest check .", "ruff check ."),
        ("uv tool run --from x ruff check", "ruff check"),
        ("poetry run python -m coverage run -m pytest", "python -m pytest"),
        ("coverage run --source src -m pytest -q", "python -m pytest -q"),
        ("pipenv run dvc repro", "dvc repro"),
        ("hatch run test:pytest", "pytest"),
        ("conda run -n x --no-capture-output python t.py", "python t.py"),
        ("sudo -u me A=b env C=d nice -n 5 make", "make"),
        ("timeout -k 1 5m pytest", "pytest"),
        ("xvfb-run -a pytest", "pytest"),
        ("docker run --rm -v a:b -e X image:1 pytest -q", "pytest -q"),
        ("docker run --rm image", "docker run --rm image"),
        ("docker run --entrypoint pytest image -q", "pytest -q"),
        ("docker compose -f x.yml run --rm app pytest", "pytest"),
        ("docker-compose exec -T app make test", "make test"),
        ("kubectl -n a exec pod -- dvc pull", "dvc pull"),
        ("srun -n 4 torchrun --nproc_per_node 2 train.py --x 1", "python train.py --x 1"),
        ("accelerate launch --mixed_precision fp16 -m pkg.train", "python -m pkg.train"),
        ("python -m torch.distributed.run --nnodes 1 t.py", "python t.py"),
        ("git ls-files", "git ls-files"),
        ("xargs -n 1 -P 4 ruff check", "ruff check"),
        ("npx -y markdownlint-cli README.md", "markdownlint-cli README.md"),
        ("sbatch -p gpu run.sh x", "bash run.sh x"),
        ("opentelemetry-instrument uvicorn app:app", "uvicorn app:app"),
        ("nohup exec time pytest", "pytest"),
    ],
)
def test_unwrap(text: str, expected: str) -> None:
    """Runners that only start another command are taken off, layer by layer."""
    assert inner(text) == expected


def test_environment_and_folder() -> None:
    """Variables and folders that wrappers set go with the inner command."""
    found = unwrap(parse_shell("A=1 uv run --directory sub env B=2 pytest", path="x")[0])
    assert (dict(found.env), found.cwd) == ({"A": "1", "B": "2"}, "sub")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("python3.11 -u src/train.py x", ("file", "src/train.py")),
        ("python -W ignore -m pkg.train -m x", ("module", "pkg.train")),
        ("python -mpytest", ("module", "pytest")),
        ("/usr/bin/python -c print(1)", ("code", "print(1)")),
        ("python -", ("stdin", "")),
        ("./train.py", ("file", "./train.py")),
        ("ruff check", ("", "")),
    ],
)
def test_python_target(words: str, expected: tuple[str, str]) -> None:
    """A call of Python names a file, a module, code or its standard input."""
    assert python_target(tuple(words.split())) == expected


WORDS = st.sampled_from(
    ["uv", "run", "docker", "compose", "-m", "-", "--", "A=b", "sudo", "-u", "env", "python", "x"]
)


@given(st.lists(WORDS, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_words(words: list[str]) -> None:
    """No arrangement of words raises or loses the place."""
    span = Span("x")
    assert unwrap(Command(tuple(words), span, "")).span == span
    python_target(tuple(words))
