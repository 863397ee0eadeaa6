"""Values of settings files, and switches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.settings import settings, switch
from mlops_audit.tree import MemoryTree


def project(files: dict[str, str]) -> Project:
    """A project of these files."""
    return Project.load(MemoryTree({p: t.encode() for p, t in files.items()}), Config())


def test_values_have_the_keys_on_their_way_and_their_lines() -> None:
    """Members of a list have the list's key."""
    found = settings(project({"conf.yaml": "a:\n  b: 1\n  c: [x, y]\n"}))
    assert [(s.key, s.value, s.span.line) for s in found] == [
        ("a.b", 1, 2),
        ("a.c", "x", 3),
        ("a.c", "y", 3),
    ]


def test_an_env_file_gives_its_variables() -> None:
    """Comments are left out."""
    found = settings(project({".env.example": "# A=1\nexport URL='http://x'\n"}))
    assert [(s.key, s.value) for s in found] == [("URL", "http://x")]


def test_answers_to_a_template_are_no_settings() -> None:
    """They say what was generated, and no program reads them."""
    files = dict.fromkeys((".copier-answers.yml", ".copier-answers.ci.yml"), "tracker: wandb\n")
    assert settings(project({**files, ".cruft.json": '{"tracker": "wandb"}'})) == ()


def test_a_settings_file_turns_a_switch_on() -> None:
    """Whatever the default in code says."""
    files = {"train.py": "use_wandb = False\n", "conf/a.yaml": "use_wandb: true\n"}
    assert switch(project(files), "use_wandb").state == "on"


def test_a_flag_without_a_default_is_off_until_a_command_gives_it() -> None:
    """`store_true` alone is off, a tracked command turns it on."""
    code = "import argparse\np = argparse.ArgumentParser()\n"
    code += "p.add_argument('--use-wandb', action='store_true')\nargs = p.parse_args()\n"
    code += "print(args.use_wandb)\n"
    assert switch(project({"train.py": code}), "use_wandb").state == "off"
    files = {"train.py": code, "run.sh": "python train.py --use-wandb\n"}
    assert switch(project(files), "use_wandb").state == "on"


def test_an_unknown_name_is_no_switch() -> None:
    """Nothing defines it."""
    assert switch(project({"a.py": "x = 1\n"}), "use_wandb").state == ""


@given(st.binary(max_size=200), st.sampled_from(["a.yaml", "a.json", "a.toml", ".env"]))
def test_no_content_raises(data: bytes, path: str) -> None:
    """Whatever stands in a file, there are values or none."""
    settings(Project.load(MemoryTree({path: data}), Config()))
