# ruff: noqa: INP001, T201 - a script of cookiecutter's, in its folder; it talks to people
"""Cookiecutter's door into the template: hands over to copier.

So both doors give the same project, and one that `copier update` can update. Cookiecutter
renders this file and runs it in the new, still empty project; when it fails, cookiecutter
removes that folder again.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT_URL = "https://github.com/mlops-audit/mlops-audit"
ANSWERS = Path(".copier-answers.yml")
URL = re.compile(r"^(git\+|hg\+)?(https?|ssh|git|file)://|^git@|^(gh|gl|bb):", re.IGNORECASE)


def read_context() -> dict[str, str]:
    """What cookiecutter knows: the answers and, after an underscore, where the template is."""
    return json.loads(r"""{{ cookiecutter | jsonify }}""")


def copier_command() -> "list[str] | None":
    """How copier can be run here."""
    if importlib.util.find_spec("copier"):
        return [sys.executable, "-m", "copier"]
    for command in (["copier"], ["uvx", "copier"], ["pipx", "run", "copier"]):
        if shutil.which(command[0]):
            return command
    return None


def find_source(context: "dict[str, str]") -> str:
    """The template as copier has to be told: a URL as it is, a folder by its absolute path."""
    template = str(context["_template"])
    if template.lower().startswith("bb:"):
        return f"https://bitbucket.org/{template[3:]}.git"
    if URL.match(template) and not template.endswith(".zip"):
        return template
    # A relative path was meant from where cookiecutter was started. A hook is not told where
    # that was, but the shell's variable still says it; the output folder is the second guess.
    local = str(context.get("_repo_dir") or template)
    starts = (os.environ.get("PWD", "."), str(context.get("_output_dir", "..")), "..")
    for start in starts:
        folder = Path(start, local).expanduser().resolve()
        if (folder / "copier.yml").is_file():
            return str(folder)
    raise SystemExit(f"error: the template {template} was not found again; give its absolute path")


def generate(command: "list[str]", source: str, context: "dict[str, str]") -> None:
    """Runs copier in the new folder; its own last line is the message when it fails."""
    answers = [
        f"--data={name}={value}" for name, value in context.items() if not name.startswith("_")
    ]
    # Cookiecutter without --checkout takes the newest commit, so copier has to take it too.
    reference = f"--vcs-ref={context.get('_checkout') or 'HEAD'}"
    arguments = ["copy", "--defaults", "--overwrite", "--quiet", reference, *answers, source, "."]
    run = [*command, *arguments]
    done = subprocess.run(run, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        message = re.sub(r"^\w+Error: ", "", lines[-1]) if lines else "copier failed without a word"
        raise SystemExit(f"error: {message}")


def say_what_is_next(source: str, context: "dict[str, str]") -> None:
    """Tells how to go on, and whether the project can be updated."""
    train = "train" if str(context.get("maturity_level")) == "1" else "pipeline"
    print(f"{context['project_name']} is ready. Next, in {Path.cwd().name}:")
    print(f"make setup && make {train} && make test")
    if "_repo_dir" not in context:
        print("`cruft update` cannot update it; `copier update` can. Delete .cruft.json.")
    answers = ANSWERS.read_text(encoding="utf-8")
    if "\n_commit:" not in answers:
        # An archive's unpacked copy is gone in a moment; the URL at least says where to look.
        if str(context["_template"]).endswith(".zip"):
            answers = answers.replace(f"_src_path: {source}", f"_src_path: {PROJECT_URL}")
            ANSWERS.write_text(answers, encoding="utf-8")
        print("Made from files without git, so it cannot be updated.")
        print(f"For a project that can, generate from {PROJECT_URL}")


def main() -> None:
    """Replaces cookiecutter's folder content by copier's."""
    context = read_context()
    command = copier_command()
    if command is None:
        raise SystemExit("error: this template needs copier; `pip install copier`, then try again")
    source = find_source(context)
    Path(".cookiecutter-door").unlink()
    generate(command, source, context)
    say_what_is_next(source, context)


if __name__ == "__main__":
    main()
