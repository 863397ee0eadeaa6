"""What a generated project consists of, for every combination of answers."""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from tests.template.support import ROOT, Template, run

DATA = "567967655bd39f9b1c3646c620c313bf10ec01e39f7a48d778e5d588686daae5"

MATRIX = [
    {"maturity_level": level, "data": data, "license": licence, **names}
    for level, data, (licence, names) in itertools.product(
        (1, 2, 3, 4, 5),
        ("bikes", "own"),
        (
            ("Apache-2.0", {}),
            ("MIT", {"project_name": "x"}),
            ("BSD-3-Clause", {"project_name": "Rides v2.0-beta", "author_name": "Zoë O'Neil & Co"}),
            ("Proprietary", {"package_name": "a" * 40, "description": "What's next: 50 % more?"}),
        ),
    )
]


def described(answers: dict[str, object]) -> str:
    """A test's name that tells its answers."""
    return "-".join(str(answers[name]) for name in ("maturity_level", "data", "license"))


def files_of(project: Path) -> list[Path]:
    """All files of a project, relative to it."""
    return sorted(path.relative_to(project) for path in project.rglob("*") if path.is_file())


def texts_of(project: Path) -> dict[str, str]:
    """The text of each file that is text."""
    names = [name for name in files_of(project) if name.suffix != ".gz"]
    return {name.as_posix(): (project / name).read_text(encoding="utf-8") for name in names}


@pytest.fixture(scope="module", params=MATRIX, ids=described)
def generated(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, object], Path]:
    """A project for one combination of answers."""
    answers: dict[str, object] = request.param
    return answers, template.generate(tmp_path_factory.mktemp("made") / "project", answers)


def test_every_file_is_whole(generated: tuple[dict[str, object], Path]) -> None:
    """No file is empty, half-rendered or unreadable for the tool that reads it."""
    for name, text in texts_of(generated[1]).items():
        assert text.strip(), f"{name} is empty"
        assert text.endswith("\n"), f"{name} lacks its last line end"
        assert not text.endswith("\n\n"), f"{name} ends with an empty line"
        assert not text.startswith("\n"), f"{name} begins with an empty line"
        assert "\r" not in text
        if not name.startswith("monitoring/"):  # Prometheus and Grafana have braces of their own
            assert not re.search(r"(?<!\$)\{[{%#]", text), f"{name} holds Jinja"
        if name.endswith(".py"):
            ast.parse(text, name)
        elif name.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text)
        elif name.endswith(".toml"):
            assert tomllib.loads(text)
        elif name.endswith(".ipynb"):
            assert json.loads(text)["cells"]


def test_nothing_is_left_to_be_filled_in(generated: tuple[dict[str, object], Path]) -> None:
    """No placeholder, no stub, no test of nothing."""
    stub = re.compile(
        r"\b(TODO|FIXME|XXX|REPLACE|CHANGEME|lorem)\b|^\s*pass$|assert True|\[yyyy\]", re.MULTILINE
    )
    for name, text in texts_of(generated[1]).items():
        assert not stub.search(text), f"{name}: {stub.search(text)}"


def test_only_what_was_chosen_is_there(generated: tuple[dict[str, object], Path]) -> None:
    """The other data, the other licences and the tools of higher levels leave no trace."""
    answers, project = generated
    texts = texts_of(project)
    everything = "\n".join([*texts, *(text for name, text in texts.items() if name != "uv.lock")])
    absent = {"own": "bicycle|bike|rental|humidity", "bikes": "input_a|sample.csv"}[
        str(answers["data"])
    ]
    if int(str(answers["maturity_level"])) < 3:
        absent += "|fastapi|prometheus|apprise|great.expectations|grafana|dependabot|fallback"
    if answers["maturity_level"] == 1:
        absent += "|dvclive|pre-commit|ruff|mypy|uv.lock|Dockerfile|CONTRIBUTING"
    assert not (found := re.search(absent, everything, re.IGNORECASE)), found
    said = {
        "README.md",
        ".github/pull_request_template.md",
        ".github/workflows/template-update.yml",
    }
    assert "template" not in str(sorted(set(texts) - said))


def test_names_are_safe_everywhere(generated: tuple[dict[str, object], Path]) -> None:
    """Every file name can be checked out on Windows."""
    for name in files_of(generated[1]):
        assert re.fullmatch(r"[\w./-]+", name.as_posix())
        assert len(name.as_posix()) < 120


def test_the_licence_is_the_chosen_one(generated: tuple[dict[str, object], Path]) -> None:
    """The file, the project's metadata and the owner's name agree."""
    answers, project = generated
    text = (project / "LICENSE").read_text(encoding="utf-8")
    first = {"Apache-2.0": "Apache License", "MIT": "MIT License", "BSD-3-Clause": "BSD 3-Clause"}
    assert first.get(str(answers["license"]), "proprietary") in text
    assert str(answers.get("author_name", "The project team")) in text
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata.get("license", "Proprietary") == answers["license"]


def test_the_make_targets_of_the_level_are_there(generated: tuple[dict[str, object], Path]) -> None:
    """The words are the same at every level; the README's commands are among them."""
    answers, project = generated
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    expected = {"setup", "data", "train", "predict", "test", "audit"}
    level = int(str(answers["maturity_level"]))
    since = {
        2: {"pipeline", "lint"},
        3: {"serve", "batch", "monitor", "replay", "experiment", "compare"},
        4: {"retrain", "publish", "register", "promote", "rollback", "search", "prove", "docs"},
        5: {"deploy", "security", "level", "sample", "history", "upgrade"},
    }
    expected |= {name for first, names in since.items() if level >= first for name in names}
    assert not {name for first, names in since.items() if level < first for name in names} & targets
    assert expected <= targets
    readme = (project / "README.md").read_text(encoding="utf-8")
    block = re.findall(r"```bash\n(.*?)```", readme, re.DOTALL)[0].split("\n")
    second = "make pipeline" if level >= 2 else "make train"
    assert block[:3] == ["make setup", second, "make test"]
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", readme, re.MULTILINE)) <= targets
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == targets


def test_the_shipped_data_are_the_published_bytes(template: Template, tmp_path: Path) -> None:
    """Rendering changes no byte of the data set."""
    project = template.generate(tmp_path / "project")
    shipped = project / "data/external/bike_sharing_hourly.csv.gz"
    assert hashlib.sha256(shipped.read_bytes()).hexdigest() == DATA


def test_a_newcomer_is_asked_little() -> None:
    """At most twelve questions are shown, each has a default, and none needs trust."""
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    questions = {name: value for name, value in settings.items() if not name.startswith("_")}
    shown = [name for name, question in questions.items() if question.get("when", True) is True]
    assert len(shown) <= 12
    assert all("default" in question for question in questions.values())
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(settings)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"package_name": "Bad-Name"}, "Up to 40 small letters"),
        ({"package_name": "pandas"}, "pandas is taken"),
        ({"project_name": "9 lives"}, "beginning with a letter"),
        ({"description": 'say "hello"'}, "without quotation marks"),
        ({"maturity_level": 6}, "Invalid choice for 'maturity_level'"),
        ({"tracker": "none"}, "Invalid choice for 'tracker'"),
        ({"maturity_level": 1, "tracker": "dvclive"}, "Invalid choice for 'tracker'"),
        ({"python_version": "2.7"}, "Invalid choice for 'python_version'"),
    ],
)
def test_a_bad_answer_is_refused(
    answers: dict[str, object], message: str, template: Template, tmp_path: Path
) -> None:
    """The message says what is wrong, and nothing is generated."""
    with pytest.raises(ValueError, match=message):
        template.generate(tmp_path / "project", answers)
    assert not (tmp_path / "project").exists()


def test_no_flag_is_needed(template: Template, tmp_path: Path) -> None:
    """`copier copy --defaults` alone generates: no trust, no tasks, no other package."""
    run("copier", "copy", "--defaults", template.path, "project", cwd=tmp_path)
    assert (tmp_path / "project/Makefile").is_file()
