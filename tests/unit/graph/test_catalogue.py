"""The tool catalogue: its rows, its indexes, and a team's own rows."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.graph import catalogue as module
from mlops_audit.graph.catalogue import (
    Catalogue,
    CatalogueError,
    Match,
    capabilities,
    load_catalogue,
)

KNOWLEDGE = Path(module.__file__).resolve().parent.parent / "knowledge"


@pytest.fixture(scope="module")
def tools() -> Catalogue:
    """The built-in catalogue."""
    return load_catalogue()


def seen(matches: tuple[Match, ...]) -> set[tuple[str, str]]:
    """Tools' keys with capabilities."""
    return {(match.tool.key, match.capability) for match in matches}


def can(matches: tuple[Match, ...]) -> set[str]:
    """Capabilities alone."""
    return {match.capability for match in matches}


# -- the data ------------------------------------------------------------------------------


def test_every_used_capability_is_described_and_every_described_one_is_used(
    tools: Catalogue,
) -> None:
    """capabilities.toml lists exactly the capabilities that rows use."""
    used = {row.capability for tool in tools.tools for row in tool.rows}
    assert used == set(capabilities())


def test_a_tool_stands_in_one_file_only() -> None:
    """No two files hold a table of the same key."""
    keys = Counter(
        key
        for path in KNOWLEDGE.glob("*.toml")
        if path.stem != "capabilities"
        for key in tomllib.loads(path.read_text(encoding="utf-8"))
    )
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_tool_has_rows_and_an_address(tools: Catalogue) -> None:
    """A tool without a row recognises nothing and has no place in the catalogue."""
    assert [tool.key for tool in tools.tools if not tool.rows or "://" not in tool.url] == []


def test_a_distribution_belongs_to_one_tool(tools: Catalogue) -> None:
    """Two tools that claim one distribution would hide each other."""
    claimed = Counter(package for tool in tools.tools for package in set(tool.packages))
    assert [package for package, count in claimed.items() if count > 1] == []


def test_method_rows_have_modules(tools: Catalogue) -> None:
    """A row for any receiver counts by its tool's imports, so the tool must name some."""
    bare = [
        (tool.key, row.pattern)
        for tool in tools.tools
        for row in tool.rows
        if row.kind == "calls" and row.pattern[:2] in {"*.", "?."} and not tool.modules
    ]
    assert bare == []


def test_no_command_both_rewrites_and_checks(tools: Catalogue) -> None:
    """A formatter's command is either its checking or its rewriting form."""
    for program in ("black", "ruff format", "isort", "yapf", "autopep8", "docformatter"):
        for flags in ((), ("--check",), ("--diff",), ("--exit-code",), ("-c",), ("-d",)):
            found = can(tools.command((*program.split(), *flags, "src")))
            assert len(found & {"format.run", "format.check"}) == 1, (program, flags)


# -- calls ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "imports", "expected"),
    [
        ("mlflow.log_params", "", ("mlflow", "tracker.params")),
        ("mlflow.sklearn.autolog", "", ("mlflow", "tracker.autolog")),
        ("sklearn.ensemble.RandomForestClassifier.fit", "", ("sklearn", "train.fit")),
        ("sklearn.pipeline.make_pipeline.fit", "", ("sklearn", "train.fit")),
        ("?.fit", "sklearn.svm", ("sklearn", "train.fit")),
        (":Trainer.model.fit", "xgboost", ("xgboost", "train.fit")),
        ("?.log_metric", "mlflow.tracking", ("mlflow", "tracker.metrics")),
        (":Net.log", "lightning.pytorch", ("lightning", "tracker.metrics")),
        ("lightning.pytorch.Trainer.fit", "", ("lightning", "train.fit")),
        ("keras.Sequential.fit", "", ("keras", "train.fit")),
        ("evidently.metrics.DataDriftTable", "", ("evidently", "drift.detect")),
        ("airflow.operators.python.PythonOperator", "", ("airflow", "pipeline.step")),
        ("fastapi.FastAPI.post", "", ("fastapi", "serve.route")),
        ("boto3.client.create_endpoint", "", ("sagemaker", "deploy.run")),
        ("shap.TreeExplainer", "", ("shap", "explain.compute")),
        ("langfuse.observe", "", ("langfuse", "trace.llm")),
        ("optuna.create_study.optimize", "", ("optuna", "train.search")),
    ],
)
def test_calls_are_recognised(
    tools: Catalogue, name: str, imports: str, expected: tuple[str, str]
) -> None:
    """A resolved name, or a method beside an import of its library, is evidence."""
    assert expected in seen(tools.calls(name, frozenset(filter(None, [imports]))))


def test_a_transformer_is_not_trained(tools: Catalogue) -> None:
    """Fitting a scaler prepares features and trains nothing."""
    found = tools.calls("sklearn.preprocessing.StandardScaler.fit", frozenset({"sklearn"}))
    assert can(found) == {"train.transform"}


def test_a_method_without_its_library_is_nobodys(tools: Catalogue) -> None:
    """`x.log_metric()` in a module that imports no tracker shows nothing."""
    assert tools.calls("?.log_metric", frozenset({"numpy"})) == ()


def test_a_known_receiver_belongs_to_its_own_tool_only(tools: Catalogue) -> None:
    """A Comet experiment's method is no MLflow call, though both are imported."""
    found = tools.calls("comet_ml.Experiment.log_metric", frozenset({"mlflow", "comet_ml"}))
    assert {match.tool.key for match in found} == {"comet"}


def test_the_standard_library_is_no_receiver(tools: Catalogue) -> None:
    """`math.log` in a Lightning module logs no metric."""
    assert tools.calls("math.log", frozenset({"lightning"})) == ()


def test_a_class_of_the_module_is_a_known_receiver(tools: Catalogue) -> None:
    """`?.fit` rows leave a method of the project's own class to the code that defines it."""
    assert "train.fit" not in can(tools.calls(":Model.fit", frozenset({"sklearn"})))


def test_seeds_and_random_calls_carry_their_details(tools: Catalogue) -> None:
    """A random call names the parameter that seeds it and the generator it draws from."""
    (split,) = [
        match.details
        for match in tools.calls("sklearn.model_selection.train_test_split")
        if match.capability == "random.call"
    ]
    assert split.seed == ("random_state",)
    assert split.generator == ("numpy",)
    assert not split.holds({"shuffle": False})
    (seeded,) = tools.calls("lightning.seed_everything")
    assert seeded.details.generator == ("random", "numpy", "torch")


def test_details_say_when_a_call_counts(tools: Catalogue) -> None:
    """A disabled run is no run, and a seed may stand unnamed."""
    runs = [m for m in tools.calls("wandb.init") if m.capability == "tracker.run"]
    assert not any(match.details.holds({"mode": "disabled"}) for match in runs)
    assert all(match.details.holds({}) for match in runs)
    (rng,) = [m for m in tools.calls("numpy.random.default_rng") if m.capability == "seed.set"]
    assert not rng.details.holds({})
    assert rng.details.holds({}, positional=1)
    assert rng.details.holds({"seed": 3})


@given(st.text(max_size=40), st.frozensets(st.text(max_size=10), max_size=3))
def test_any_name_is_answered(name: str, imports: frozenset[str]) -> None:
    """No name makes the look-up raise."""
    load_catalogue().calls(name, imports)


# -- commands ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -m pytest -q", "test.run"),
        ("/usr/bin/python3.11 -m unittest discover", "test.run"),
        ("coverage run -m pytest", "coverage.measure"),
        ("dvc -q repro", "pipeline.run"),
        ("kubectl -n prod apply -f x.yaml", "deploy.run"),
        ("docker buildx build --push .", "image.publish"),
        ("python3 -m pip_audit", "security.scan"),
        ("gcloud run deploy churn --image x", "deploy.run"),
        ("gto assign churn --stage prod", "registry.promote"),
        ("jupyter nbconvert --to notebook --execute a.ipynb", "notebook.execute"),
    ],
)
def test_commands_are_recognised(tools: Catalogue, command: str, expected: str) -> None:
    """Words in order, whatever options stand between them."""
    assert expected in can(tools.command(command.split()))


@pytest.mark.parametrize(
    ("command", "soft"),
    [
        ("ruff check .", False),
        ("ruff check --fix .", False),
        ("ruff check --exit-zero .", True),
        ("flake8 --exit-zero", True),
        ("pylint --exit-zero src", True),
        ("trivy image app", True),
        ("trivy image --exit-code 1 app", False),
        ("trivy image --exit-code 0 app", True),
        ("semgrep scan", True),
    ],
)
def test_commands_that_cannot_fail_are_soft(tools: Catalogue, command: str, soft: bool) -> None:  # noqa: FBT001 -- a table's column
    """A check whose exit status never shows the finding says so, with the reason."""
    (match,) = tools.command(command.split())
    assert match.soft is soft
    assert bool(match.why) is soft


@pytest.mark.parametrize(
    "command", ["black --diff .", "autopep8 --diff x.py", "isort .", "ruff format ."]
)
def test_rewriting_is_no_check(tools: Catalogue, command: str) -> None:
    """A formatter that rewrites or only prints cannot fail a job."""
    assert can(tools.command(command.split())) == {"format.run"}


@pytest.mark.parametrize("command", ["pytest --version", "dvc repro --help", "", "docker ps"])
def test_some_commands_are_no_evidence(tools: Catalogue, command: str) -> None:
    """Help, versions and other subcommands show nothing."""
    assert tools.command(command.split()) == ()


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_command_is_answered(argv: list[str]) -> None:
    """No argument vector makes the look-up raise."""
    load_catalogue().command(argv)


# -- everything else -----------------------------------------------------------------------


def test_actions_match_by_prefix_and_version(tools: Catalogue) -> None:
    """`owner/name/path@v3` belongs to `owner/name`, `owner/name-other` does not."""
    assert can(tools.action("github/codeql-action/analyze@v3")) == {"security.scan"}
    assert tools.action("github/codeql-actions@v3") == ()
    publish = tools.action("docker/build-push-action@v6")
    counted = {m.capability for m in publish if m.details.holds({"push": "true"})}
    assert counted == {"image.build", "image.publish"}
    kept = {m.capability for m in publish if m.details.holds({"push": "false"})}
    assert kept == {"image.build"}


def test_hooks_files_values_images_resources_and_variables(tools: Catalogue) -> None:
    """Each other kind of pattern is found in its own way of writing."""
    assert can(tools.hook("ruff-format", "https://github.com/x/y.git")) == {"format.run"}
    assert "security.scan" in can(
        tools.hook("x", "https://github.com/Lucas-C/pre-commit-hooks-safety")
    )
    assert can(tools.file("data/raw.csv.dvc")) == {"data.version"}
    assert can(tools.file("deploy/grafana/provisioning/a/board.json")) == {"dashboard.define"}
    assert tools.file("mydvc.yaml.txt") == ()
    assert can(tools.value("report_to", "wandb")) == {"tracker.run"}
    assert can(tools.value("canaryTrafficPercent", 20)) == {"deploy.rollout"}
    assert can(tools.image("docker.io/prom/prometheus:v3.1")) == {"metrics.export"}
    assert can(tools.resource("AWS::SageMaker::MonitoringSchedule")) == {"drift.detect"}
    assert can(tools.resource("serving.kserve.io/InferenceService")) == {"serve.model"}
    assert can(tools.env("MLFLOW_TRACKING_URI")) == {"tracker.uri"}
    assert tools.env("mlflow_tracking_uri") == ()


def test_packages_and_modules_lead_to_their_tool(tools: Catalogue) -> None:
    """Names are normalised as the index does; a module belongs to its longest known prefix."""
    package = tools.package("Scikit_Learn[all]")
    assert package is not None
    assert package.key == "sklearn"
    owner = tools.module("google.cloud.aiplatform.gapic")
    assert owner is not None
    assert owner.key == "vertex"
    assert tools.package("unheard-of") is None
    assert tools.module("google") is None


def test_tools_are_sorted_and_the_catalogue_is_cached(tools: Catalogue) -> None:
    """The order does not depend on the file system, and a process reads the files once."""
    keys = [tool.key for tool in tools.tools]
    assert keys == sorted(keys)
    assert load_catalogue() is tools


# -- a team's own rows ---------------------------------------------------------------------


def test_a_team_adds_a_tool_and_extends_one() -> None:
    """Own rows have the built-in format; a built-in key keeps its rows."""
    own = load_catalogue(
        {
            "house": {"name": "House", "calls": {"tracker.metrics": ["house.log"]}},
            "mlflow": {"calls": {"tracker.metrics": ["wrap.track"]}, "modules": ["wrap"]},
        }
    )
    assert seen(own.calls("house.log")) == {("house", "tracker.metrics")}
    assert ("mlflow", "tracker.metrics") in seen(own.calls("wrap.track"))
    assert ("mlflow", "tracker.run") in seen(own.calls("mlflow.start_run"))
    assert load_catalogue().calls("house.log") == ()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("text", "house: a tool is a table, not str"),
        ({"call": {}}, "house.call: unknown key, did you mean 'calls'?"),
        ({"calls": []}, "house.calls: a table"),
        ({"calls": {"tracker.run": "x"}}, 'house.calls."tracker.run": a list'),
        ({"calls": {"tracker.run": [3]}}, 'house.calls."tracker.run"[0]: a text or a table'),
        ({"calls": {"tracker.rum": ["x"]}}, "unknown capability, did you mean 'tracker.run'?"),
        ({"calls": {"tracker.run": [{"name": ""}]}}, '"tracker.run"[0].name: must not be empty'),
        ({"calls": {"seed.set": [{"name": "x", "sed": "y"}]}}, "sed: unknown key, did you mean"),
        ({"calls": {"seed.set": [{"name": "x", "position": "y"}]}}, "position: a whole number"),
        ({"commands": {"lint.run": [{"argv": "x", "soft": 1}]}}, "soft: true or false"),
        ({"commands": {"lint.run": [{"name": "x"}]}}, "[0].name: unknown key"),
        ({"packages": [1]}, "house.packages: a list of texts"),
        ({"name": 1}, "house.name: a text was expected, not int"),
    ],
)
def test_a_wrong_row_is_named(table: object, message: str) -> None:
    """An error says which key is wrong, and the nearest known one."""
    with pytest.raises(CatalogueError) as caught:
        load_catalogue({"house": table})
    assert message in str(caught.value)
