"""One fixed, invented report that every format's golden is written from.

It holds one of everything that a report can show, hostile names and contents included; a new
practice or tool never changes it.
"""

from __future__ import annotations

from mlops_audit.maturity import Settings, evaluate, load_model
from mlops_audit.model import (
    Attestation,
    Change,
    Comparison,
    Diagnostic,
    Evidence,
    Finding,
    Fix,
    Gate,
    Loop,
    LoopLink,
    LoopNode,
    LoopStep,
    ModelResult,
    Practice,
    ProjectInfo,
    Report,
    RepositoryInfo,
    RolesInfo,
    Span,
    Strength,
    Verdict,
    Waiver,
    failed,
    hollow,
    not_applicable,
    parse_asks,
    partial,
    passed,
    unknown,
)

HOSTILE = "\x1b[31mred\x1b[0m \u202eevil\u202c \x9b2J ::error::x <script>alert(1)</script> a|b"


def _practice(  # noqa: PLR0913 -- the fields of a practice
    id_: str,
    slug: str,
    title: str,
    level: str,
    *,
    assets: str = "code",
    fix: str = "Do it.",
    template: tuple[str, ...] = (),
) -> Practice:
    return Practice(
        id=id_,
        slug=slug,
        title=title,
        assets=tuple(assets.split(",")),
        asked=parse_asks(level),
        fix=Fix(fix, template),
        judge=lambda _: not_applicable("invented"),
        sources=("S4",),
    )


def _findings() -> tuple[Finding, ...]:
    rows: list[tuple[Practice, Verdict, Strength | None]] = [
        (
            _practice("AUT04", "task-runner", "Common jobs have one-word commands", "2s"),
            partial(
                "Only the test job has a command; training has none.",
                Evidence(Span("Makefile", 3), "test: python -m pytest"),
            ),
            Strength.FOUND,
        ),
        (
            _practice(
                "AUT06",
                "ci-runs-tests",
                "CI runs the tests",
                "2s, 5M",
                fix="Add a workflow that runs the tests on every push.",
                template=(".github/workflows/ci.yml",),
            ),
            hollow(
                "The job called test only echoes.",
                Evidence(
                    Span(".github/workflows/ci.yml", 12),
                    "run: echo ok",
                    (
                        Evidence(Span(".github/workflows/ci.yml", 3), "on: push"),
                        Evidence(Span(".github/workflows/ci.yml", 8), "job test"),
                    ),
                ),
                looked_for="a job that runs a test runner",
            ),
            None,
        ),
        (
            _practice("VER01", "code-in-git", "The code is in git", "1M~"),
            passed(
                "Git history, and .gitignore keeps environments and outputs out.",
                [Evidence(Span(".gitignore", n), f"pattern {n}") for n in range(1, 13)],
            ),
            Strength.VERIFIED,
        ),
        (
            _practice("VER02", "data-versioned", "The data is versioned", "1M~", assets="data"),
            passed(
                "DVC tracks data/raw.",
                Evidence(
                    Span("data/raw.csv.dvc", 2),
                    "outs: raw.csv",
                    (Evidence(Span("dvc.yaml", 2), "stage prepare"),),
                ),
            ),
            Strength.FOUND,
        ),
        (
            _practice(
                "TST01",
                "test-suite",
                "A test suite exercises the code",
                "2M",
                fix="Write three tests that call the project's functions.",
                template=("tests/unit/test_features.py", "tests/unit/test_data.py"),
            ),
            failed(
                "No test of the project's own code was found.",
                looked_for="test functions with assertions below tests/",
                evidence=Evidence(Span(f"tests/{HOSTILE}.py", 1), HOSTILE),
            ),
            None,
        ),
        (
            _practice("TST12", "coverage", "Coverage is measured", "5s"),
            unknown("pyproject.toml could not be read as TOML."),
            None,
        ),
        (
            _practice(
                "MON05",
                "performance-monitoring",
                "Quality is measured over time",
                "3M~, 4M",
                assets="model",
            ),
            passed(
                "Attested by ana: dashboard of the platform team",
                Evidence(Span("pyproject.toml", 21), "ana attests until 2027-01-31"),
            ),
            Strength.ATTESTED,
        ),
        (
            _practice(
                "MON14", "health-endpoint", "The service has a health check", "3s", assets="system"
            ),
            not_applicable("does not apply: nothing here predicts for use"),
            None,
        ),
        (
            _practice(
                "REP04",
                "seeds-set",
                "Training sets its seeds",
                "2M",
                assets="model",
                fix="Seed every generator that training uses.",
                template=("src/train.py",),
            ),
            failed(
                "NumPy is used and never seeded.",
                looked_for="numpy.random.seed, default_rng(seed)",
                evidence=Evidence(Span("notebooks/1.0-a b.ipynb", 4, 7), "np.random.normal(3)"),
            ),
            None,
        ),
        (
            _practice("REP11", "no-secrets", "No credentials lie open", "1M"),
            passed("No credential in 42 files; 1 was not read.", Evidence(Span("."), "42 files")),
            Strength.FOUND,
        ),
        (
            _practice("COL01", "readme-how-to", "The README says how", "1M~"),
            passed(
                "What it is, how to set up, how to run.", Evidence(Span("README.md", 1), "# Churn")
            ),
            Strength.FOUND,
        ),
    ]
    return tuple(Finding(practice, verdict, strength) for practice, verdict, strength in rows)


def _loop() -> Loop:
    """A loop with a link in each state, more nodes than fit, and a hostile name."""
    titles = {
        "trigger": "Triggers",
        "job": "Jobs",
        "stage": "Pipeline stages",
        "code": "Training code",
        "data": "Data",
        "model": "Trained model",
        "registry": "Model registry",
        "service": "Model in use",
        "monitor": "Monitors",
    }
    push = Evidence(Span(".github/workflows/ci.yml", 3), "on: push")
    train = Evidence(Span("src/train.py", 14), "trains: model.fit(x, y)")
    nodes = [
        LoopNode("trigger", "push · CI", push),
        LoopNode(
            "trigger",
            "a person runs make train",
            Evidence(Span("Makefile", 7), "make"),
            by_hand=True,
        ),
        LoopNode("job", "test · CI", Evidence(Span(".github/workflows/ci.yml", 8), "job test")),
        LoopNode("code", "src/train.py", train),
        LoopNode("data", f"data/{HOSTILE}.csv", Evidence(Span(f"data/{HOSTILE}.csv"), HOSTILE)),
    ]
    nodes += [
        LoopNode("stage", f"stage {n}", Evidence(Span("dvc.yaml", 2 + n), f"cmd {n}"))
        for n in range(12)
    ]
    states = ["found", "missing", "partial", "found", "missing", "n/a", "missing", "n/a", "n/a"]
    kinds = list(titles)
    steps = [
        LoopStep(
            source,
            target,
            state,
            f"The link is {state}.",
            "a link" if state in {"missing", "partial"} else "",
            (push,) if state in {"found", "partial"} else (),
            ("VER02",) if source == "code" else (),
        )
        for source, target, state in zip(kinds, [*kinds[1:], kinds[0]], states, strict=True)
    ]
    links = (LoopLink(0, 2), LoopLink(1, 3, (train,), soft=True))
    return Loop(titles, tuple(nodes), links, tuple(steps))


def _beside() -> tuple[ModelResult, ...]:
    """One result of each kind of model."""
    return (
        ModelResult(
            "google",
            "ladder",
            {
                "title": "Google's levels",
                "reached": 0,
                "name": "Manual process",
                "profile": [{"level": 1, "musts": 10, "met": 6}],
                "levels": [{"level": 1, "name": "Pipeline", "meaning": ""}],
            },
        ),
        ModelResult(
            "test-score",
            "score",
            {
                "score": 0.5,
                "band": "Research",
                "sections": [{"name": "Data", "score": 0.5, "reachable": 2.5}],
            },
        ),
        ModelResult(
            "phases",
            "shares",
            {"share": 0.78, "phases": [{"name": "Data", "share": None}]},
        ),
        ModelResult(
            "canvas",
            "blocks",
            {"filled": 1, "of": 2, "blocks": [{"name": "Value", "state": "empty"}]},
        ),
    )


def help_of(practice: Practice) -> str:
    """Invented documentation, in place of the twins'."""
    return f"# {practice.title}\n\n## Why it matters\nBecause of *{practice.slug}*.\n"


def fixed_report() -> Report:
    """The report; everything in it is invented."""
    ladder = load_model("ladder")
    findings = _findings()
    roles = RolesInfo(
        "trains",
        trains=True,
        serves="none",
        evidence=(Evidence(Span("src/train.py", 14), "model.fit(x, y)"),),
    )
    assessment = evaluate(
        findings,
        (ladder, load_model("stages")),
        ladder=ladder,
        roles=roles,
        settings=Settings(target=2),
    )
    return Report(
        repository=RepositoryInfo(
            path="churn",
            commit="0123456789abcdef0123456789abcdef01234567",
            dirty=True,
            files=43,
            unread=1,
            remote_url="https://github.com/acme/churn",
        ),
        roles=roles,
        projects=(ProjectInfo(".", "churn"),),
        assessment=assessment,
        findings=findings,
        diagnostics=(
            Diagnostic("pyproject.toml", "not readable as TOML; the defaults are used"),
            Diagnostic(f"data/{HOSTILE}.csv", "was not read: too large", 1),
        ),
        attestations=(
            Attestation(
                practice="MON05",
                reason="dashboard of the platform team",
                owner="ana",
                expires="2027-01-31",
                url="https://dash.example/churn",
            ),
        ),
        waivers=(
            Waiver("REP04", "seeds come with the new trainer", "bo", "2026-12-31"),
            Waiver("AUT06", "moving to another CI", "bo", "2026-01-31", expired=True),
        ),
        version="0.0.0",
        gate=Gate(met=False, reasons=("TST01 got worse: partial → fail",)),
        comparison=Comparison(
            against="main",
            level=1,
            changes=(
                Change("VER01", "partial", "pass", worse=False),
                Change("TST01", "partial", "fail", worse=True),
            ),
            new=("MON14",),
        ),
        loop=_loop(),
        beside=_beside(),
        extra={
            "history": [
                {"label": "2026-01", "level": 0, "score": 20.0},
                {"label": "2026-02", "level": 1, "score": 41.5},
            ]
        },
    )
