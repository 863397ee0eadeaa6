"""What is a credential, and what only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.secrets import find_secrets, secret_in_string

# Made up for these tests, and split so that no scanner takes this file for a leak.
AWS = "AKIA" + "Z7QK3MX2PLW9TRBD"
HUGGING = "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi"
GITHUB = "ghp_" + "a8Kd03jfLq92MxVb71TzWc45RnYe60PsGhQu"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"key = '{AWS}'", "AWS access key"),
        (f"login(token='{HUGGING}')", "Hugging Face token"),
        (f"TOKEN={GITHUB}", "GitHub token"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----\\n" + "MIIEow" * 8, "private key"),
        ("postgresql://bob:s3cr" + "Et77@db.acme.io/x", "password in a URL"),
        ("db_password = 'h7Gk" + "29!qLw'", "password"),
        ("api_key: 'f81d4fae7dec" + "11d0a76500A0c91e6bf6'", "secret"),
        ("  -e WANDB_API_KEY=wandb_" + "v1_Ab3dEf6hIj9" * 6 + " \\", "Weights & Biases key"),
        ("headers = {'Authorization': 'Bearer 6fb5d3" + "2ac9801938a17bQ9x'}", "secret"),
        ("curl -H 'Authorization: Basic dXNlcj" + "o3SGc0OSFxTHc5MA=='", "secret"),
        ("WANDB_API_KEY = '" + "0f3a" * 9 + "91bc'", "Weights & Biases key"),
    ],
)
def test_secrets(line: str, kind: str) -> None:
    """Providers' formats and values under telling names are found, masked."""
    hits = find_secrets(f"x\n{line}\n", "src/a.py")
    assert [(h.kind, h.span.line) for h in hits] == [(kind, 2)]
    assert AWS not in hits[0].excerpt


@pytest.mark.parametrize(
    "line",
    [
        "AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE'",
        "password = 'changeme'",
        "password = os.environ['DB_PASSWORD']",
        'password: "${{ secrets.DB_PASSWORD }}"',
        "POSTGRES_PASSWORD: postgres",
        "postgresql://postgres:postgres@localhost:5432/db",
        "postgresql://airflow:airflow@postgres/airflow",
        "https://user:password@example.com",
        "token = '<your-token-here>'",
        "eos_token = '<|endoftext|>'",
        "secret_name = 'prod/churn-model/api-key-1'",
        "api_key = 'YOUR_API_KEY_1234'",
        "role = 'arn:aws:iam::123456789012:role/SageMaker'",
        "if line.startswith('-----BEGIN PRIVATE " + "KEY-----'):",
        "START = b'-----BEGIN OPENSSH PRIVATE " + "KEY-----'",
        "password_field = 'challengePassword'",
        "password = getpass.getpass('Password: ')",
        "tokenizer_name = 'bert-base-uncased-v2-2021'",
        "access_token = 'xxxxxxxxxxxxxxxxxxxx'",
        "headers = {'Authorization': f'Bearer {self.api_key_2}'}",
        "headers = {'Authorization': 'Bearer ' + token_for_2024}",
        "curl -H 'Authorization: Bearer YOUR_API_KEY_12345'",
        'authorization = "role-based-access-2024"',
    ],
)
def test_no_secrets(line: str) -> None:
    """Placeholders, documented examples, look-ups, local defaults and names are none."""
    assert find_secrets(line, "src/a.py") == ()


def test_places() -> None:
    """Locks and example files are left out; bare values count in settings files only."""
    line = "SECRET_KEY=h7Gk29qLwZx8" + "1TbV4nMs"
    assert find_secrets(line, ".env")
    assert find_secrets(f"docker run -e {line} image", "run.sh")
    assert find_secrets(f"{line} python train.py", "Makefile")
    assert not find_secrets("docker run -e SECRET_KEY=$SECRET_KEY_OF_THE_SHELL image", "run.sh")
    assert not find_secrets(line, ".env.example")
    assert not find_secrets(line, "notes.md")
    assert not find_secrets(f"key = '{AWS}'", "poetry.lock")


def test_strings() -> None:
    """A string alone is judged by its form, with a name by both."""
    assert secret_in_string(AWS) == "AWS access key"
    assert secret_in_string("h7Gk" + "29!qLw", "password") == "password"
    assert secret_in_string("h7Gk" + "29!qLw", "title") is None


def test_linear() -> None:
    """Long lines of nearly matching text take linear time."""
    started = time.thread_time()
    for piece in ("a:", "password", "token=' ", "eyJa.", "https://a:", "&sig=a?sv=", "key "):
        find_secrets(piece * 40_000, "x.env")
    assert time.thread_time() - started < 20


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """No text raises."""
    find_secrets(text, "x.env")
    secret_in_string(text, "password")
