"""Writes cookiecutter.json from the questions of copier.yml, which stay in one place that way.

Cookiecutter asks the questions before `advanced`; the others take their defaults in copier.

    python tools/cookiecutter_json.py           write
    python tools/cookiecutter_json.py --check   fail if the file is out of step
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "copier.yml"
DOOR = ROOT / "cookiecutter.json"
LAST = "advanced"


def in_namespace(template: str, names: list[str]) -> str:
    """The same Jinja with cookiecutter's names: its variables live below `cookiecutter`."""
    words = re.compile(rf"\b({'|'.join(names)})\b(?=[^']*(?:'[^']*'[^']*)*$)")
    inside = re.compile(r"{[{%].*?[%}]}", re.DOTALL)
    return inside.sub(lambda part: words.sub(r"cookiecutter.\1", part[0]), template)


def labels(choices: list[Any] | dict[str, Any]) -> dict[str, str]:
    """The value of each choice, with what people read."""
    pairs = (
        choices.items() if isinstance(choices, dict) else ((choice, choice) for choice in choices)
    )
    return {str(value): str(label) for label, value in pairs}


def door(questions: dict[str, Any]) -> dict[str, Any]:
    """What cookiecutter.json must say for these questions."""
    names = [name for name in questions if not name.startswith("_")]
    names = names[: names.index(LAST)]
    asked: dict[str, Any] = {}
    prompts: dict[str, Any] = {}
    for name in names:
        question = questions[name]
        default = str(question["default"])
        if "choices" in question:
            # Cookiecutter takes the first choice as the default.
            choices = labels(question["choices"])
            asked[name] = sorted(choices, key=lambda value: value != default)
            prompts[name] = {"__prompt__": question["help"], **choices}
        else:
            asked[name] = in_namespace(default, names)
            prompts[name] = question["help"]
    folder = "{{ cookiecutter.package_name | replace('_', '-') }}"
    return {**asked, "__slug": folder, "__prompts__": prompts}


def main() -> int:
    """Writes or checks the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    text = json.dumps(door(questions), indent=2, ensure_ascii=False) + "\n"
    if not given.check:
        DOOR.write_text(text, encoding="utf-8", newline="\n")
    elif not DOOR.is_file() or DOOR.read_text(encoding="utf-8") != text:
        print("out of step with copier.yml: run python tools/cookiecutter_json.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
