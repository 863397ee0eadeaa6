"""The store of predictions of a generated project on a real PostgreSQL server."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.template.prepared import Prepared
from tests.template.support import run

pytestmark = pytest.mark.slow

USER = "tester"
INPUTS = (
    "dteday",
    "hr",
    "holiday",
    "workingday",
    "weathersit",
    "temp",
    "atemp",
    "hum",
    "windspeed",
)
PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The port of a server of its own on this machine; it ends with the tests."""
    if PROGRAMS is None or not (PROGRAMS / "postgres").exists():
        pytest.skip("PostgreSQL is not installed; tools/install_system.sh brings it")
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    as_user: tuple[str | Path, ...] = ()
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_user = ("runuser", "-u", "postgres", "--")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    made = ("--auth=trust", f"--username={USER}", "--encoding=UTF8", "--no-sync")
    run(*as_user, PROGRAMS / "initdb", "-D", folder / "data", *made, cwd=folder)
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
    control = (*as_user, PROGRAMS / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w")
    run(*control, "-o", options, "start", cwd=folder)
    try:
        yield port
    finally:
        run(*control, "-m", "immediate", "stop", cwd=folder, status=None)
        shutil.rmtree(folder, ignore_errors=True)


def asked(port: str, database: str, query: str) -> str:
    """What a database answers."""
    assert PROGRAMS is not None
    where = ("-h", "127.0.0.1", "-p", port, "-U", USER, "-d", database)
    return run(PROGRAMS / "psql", *where, "-qtA", "-c", query, cwd=Path("/")).stdout.strip()


def database(port: str, name: str) -> str:
    """The URL of a new, empty database."""
    asked(port, "postgres", f"create database {name}")
    return f"postgresql+psycopg://{USER}@127.0.0.1:{port}/{name}"


def test_the_store_s_own_tests_pass(server: str, prepared: Prepared) -> None:
    """What they ask of a SQLite file holds for the server too, and none of them is left out."""
    used = prepared("bikes-3")
    env = {"TEST_PREDICTIONS_URL": database(server, "tests")}
    done = run(
        used.path / ".venv/bin/python", "-m", "pytest", "-v", "-rs", "tests/unit/test_store.py",
        cwd=used.path, env=env,
    )  # fmt: skip
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout


def test_a_month_is_predicted_and_judged(server: str, prepared: Prepared) -> None:
    """Predictions, what came true and the monitors' verdict meet in the same database."""
    used = prepared("bikes-3")
    env = {"PREDICTIONS_URL": database(server, "month")}
    raw, month = "data/raw/measurements.csv", used.path / "reports/month.csv"
    with (used.path / raw).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dteday"].startswith("2012-01")]
    with month.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, INPUTS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    try:
        run("make", "batch", "INPUT=reports/month.csv", cwd=used.path, env=env)
        run("make", "actuals", f"INPUT={raw}", cwd=used.path, env=env)
        run("make", "monitor", "WINDOW=2012-01", cwd=used.path, env=env)
        judged = used.path / "reports/monitoring/2012-01.json"
        checks = json.loads(judged.read_text(encoding="utf-8"))["checks"]
        shutil.rmtree(judged.parent)
    finally:
        month.unlink()
    assert {"performance", "data_drift", "concept_drift"} <= set(checks)
    joined = "select count(*) from predictions join actuals using (id)"
    assert asked(server, "month", joined) == str(len(rows))
    assert not (used.path / "data/monitoring/predictions.sqlite").exists()
