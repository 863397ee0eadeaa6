"""Prepares the documentation site: guides as written, reference pages from their sources.

    python tools/docs_site.py build/docs

Writes Markdown and a configuration for Zensical into the folder. Practice pages come from the
twins, models and tools from their data, the commands from click, the configuration from its
schema: none of them is written twice.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from mlops_audit.cli import COMMANDS
from mlops_audit.cli.catalogues import models as listed_models
from mlops_audit.graph.catalogue import load_catalogue
from mlops_audit.hooks.main import usage
from mlops_audit.maturity import load_model
from mlops_audit.model import PRINCIPLES, Practice
from mlops_audit.practices import catalogue
from mlops_audit.practices.document import document
from mlops_audit.reports.report_schema import report_schema
from mlops_audit.schema import config_schema

ROOT = Path(__file__).resolve().parent.parent
FORGE = "https://github.com/mlops-audit/mlops-audit"
KINDS = {"must": "must", "must~": "must, partial will do", "should": "should"}
FENCE = re.compile(r"^(`{3,}|~{3,})([\w+-]+) (file|notebook)=(\S+).*$", re.MULTILINE)
GIT_FENCE = re.compile(r"^(`{3,}|~{3,})toml git$", re.MULTILINE)
ID = re.compile(r"\b(?:AUT|VER|TRK|TST|MON|REP|COL|STR)\d\d\b")
GUIDES = [
    ("Start in five minutes", "index.md"),
    (
        "Guides",
        [
            ("Gate a repository", "guides/gate.md"),
            ("Climb a level", "guides/climb.md"),
            ("The loop, lived through", "guides/loop.md"),
            ("Adopt in an old repository", "guides/adopt.md"),
            ("Choices of the template", "guides/choices.md"),
            ("Upgrade", "guides/upgrade.md"),
            ("Continuous integration", "ci.md"),
            ("Every commit", "pre-commit.md"),
            ("At the terminal", "terminal.md"),
        ],
    ),
]
REFERENCE = (
    "Reference",
    [
        ("Commands", "commands.md"),
        ("Configuration", "configuration.md"),
        ("Models", "models.md"),
        ("Tools", "tools.md"),
    ],
)


def practice_page(practice: Practice) -> str:
    """The twin with its scenarios, and where the practice stands."""
    twin = document(practice)
    text = FENCE.sub(r'\1\2 title="\4"', GIT_FENCE.sub(r'\1toml title="git"', twin.text))
    about = "\nEach is a small repository with the verdict that it must get; `<- evidence` marks\n"
    about += "the lines that the report has to name. These are the tests of the practice.\n"
    text = text.replace("\n## Scenarios\n", f"\n## Scenarios\n{about}", 1)
    asked = ", ".join(f"level {ask.level} ({KINDS[ask.kind]})" for ask in practice.asked)
    facts = [
        f"**{practice.id}** `{practice.slug}` · {PRINCIPLES[practice.principle]}",
        f"protects {', '.join(practice.assets)}",
        f"asked at {asked}",
        *(["a person may attest it"] if practice.attestable else []),
    ]
    head, _, rest = text.partition("\n")
    step = f'\n!!! tip "First step"\n    {practice.fix.step}\n'
    if practice.fix.template:
        files = ", ".join(f"`{name}`" for name in practice.fix.template)
        step += f"\n    The template's files that provide it: {files}\n"
    return f"{head}\n\n{' · '.join(facts)}\n{step}\n{rest}"


def practice_index() -> str:
    """All practices by principle."""
    lines = ["# Practices", "", "What the audit looks for, by principle."]
    for key, name in PRINCIPLES.items():
        lines += ["", f"## {name}", "", "| practice | protects | asked at |", "| --- | --- | --- |"]
        for p in catalogue():
            if p.principle == key:
                asked = ", ".join(f"{ask.level} {KINDS[ask.kind]}" for ask in p.asked)
                link = f"[{p.id} {p.title}]({p.slug}.md)"
                lines.append(f"| {link} | {', '.join(p.assets)} | {asked} |")
    return "\n".join(lines) + "\n"


def linked(text: str, folder: str) -> str:
    """Ids of practices as links."""
    pages = {p.id: f"{folder}{p.slug}.md" for p in catalogue()}
    return ID.sub(lambda m: f"[{m[0]}]({pages[m[0]]})" if m[0] in pages else m[0], text)


def model_pages() -> str:
    """Every built-in model with its levels, what they ask, and its sources."""
    lines = ["# Models", "", "The same verdicts, read by the rules of several sources."]
    lines += ["", "`~` after a must says that a partial pass will do."]
    for row in listed_models():
        model = load_model(str(row["name"]))
        lines += ["", f"## {model.title}", "", f"`--model {model.name}`"]
        lines += ["", " ".join(model.about.split()), "", " ".join(model.enough.split())]
        asks: dict[int, list[str]] = {}
        for level in model.levels:
            asks[level.number] = [
                "|".join(need.practices) + "~" * need.soft for need in level.musts
            ]
        if model.catalogue:
            for practice in catalogue():
                for ask in practice.asked:
                    if ask.kind != "should":
                        soft = "~" if ask.kind == "must~" else ""
                        asks[ask.level].append(practice.id + soft)
        if model.levels:
            lines += ["", "| level | name | musts |", "| --- | --- | --- |"]
            for level in model.levels:
                musts = ", ".join(asks[level.number]).replace("|", " or ")
                lines.append(f"| {level.number} | {level.name} | {linked(musts, 'practices/')} |")
        parts = [(s.name, [t.title for t in s.tests]) for s in model.sections]
        parts += [(p.name, [c.name for c in p.elements]) for p in model.phases]
        parts += [(b.name, [b.question]) for b in model.blocks]
        lines += ["", *(f"- **{name}**: {'; '.join(rows)}" for name, rows in parts)]
        lines += ["", "Sources: " + ", ".join(f"<{url}>" for url in model.sources)]
    return "\n".join(lines) + "\n"


def command_page() -> str:
    """What each command says of itself, and the hooks' command."""
    lines = ["# Commands", "", "`mlops-audit PATH` means `mlops-audit check PATH`."]
    for name, about in COMMANDS.items():
        command: click.Command = import_module(f"mlops_audit.cli.{name}").command
        with click.Context(command, info_name=f"mlops-audit {name}", max_content_width=96) as ctx:
            ctx.terminal_width = 96
            text = command.get_help(ctx)
        lines += ["", f"## {name}", "", about, "", "```text", text, "```"]
    lines += ["", "## The hooks' command", "", "See [Every commit](pre-commit.md)."]
    lines += ["", "```text", usage(), "```"]
    return "\n".join(lines) + "\n"


def keys(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Key, type and description of everything that the schema names."""
    required = set(node.get("required", ()))
    for name, field in node.get("properties", {}).items():
        kind = field.get("type") or " or ".join(f["type"] for f in field.get("anyOf", ()))
        kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
        if "enum" in field:
            kind = ", ".join(f"`{value}`" for value in field["enum"])
        about = str(field.get("description", ""))
        note = f"{about} Required." if name in required else about
        yield f"{prefix}{name}", kind, note
        inner = field.get("items") if field.get("type") == "array" else field
        if isinstance(inner, Mapping) and inner.get("properties"):
            yield from keys(inner, f"{prefix}{name}{'[]' if inner is not field else ''}.")


def configuration_page() -> str:
    """The schema as a table."""
    rows = [f"| `{key}` | {kind} | {about} |" for key, kind, about in keys(config_schema())]
    return "\n".join(
        [
            "# Configuration",
            "",
            "`[tool.mlops-audit]` in `pyproject.toml`, or `mlops-audit.toml`, which wins; read at",
            "the audited revision. `--config FILE` wins over both. An unknown key is an error that",
            "names the nearest known one.",
            "",
            "Editors complete and check the file (Taplo, Even Better TOML): write the schema with",
            "`mlops-audit schema config > .mlops-audit.schema.json`, and let the first line of",
            "`mlops-audit.toml` be `#:schema ./.mlops-audit.schema.json`.",
            "",
            "| key | type | meaning |",
            "| --- | --- | --- |",
            *rows,
        ]
    ) + "\n"  # fmt: skip


def tool_page() -> str:
    """How to add a tool, and every tool that is known."""
    text = (ROOT / "src/mlops_audit/knowledge/README.md").read_text("utf-8")
    lines = [text.rstrip(), "", "## The tools", "", "| tool | evidence of |", "| --- | --- |"]
    for tool in sorted(load_catalogue().tools, key=lambda t: t.name.lower()):
        found = ", ".join(f"`{name}`" for name in sorted({row.capability for row in tool.rows}))
        lines.append(f"| {f'[{tool.name}]({tool.url})' if tool.url else tool.name} | {found} |")
    return "\n".join(lines) + "\n"


def toml(value: object) -> str:
    """A value as inline TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def navigation() -> list[Any]:
    """The pages in their order."""
    by_principle = [
        (name, [(f"{p.id} {p.title}", f"practices/{p.slug}.md")
                for p in catalogue() if p.principle == key])
        for key, name in PRINCIPLES.items()
    ]  # fmt: skip
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    extend = [
        ("Write a practice", "writing-a-practice.md"),
        ("Add a tool", "tools.md"),
        ("Write a model", "writing-a-model.md"),
        ("Decisions", [(p.stem[5:].replace("-", " "), f"decisions/{p.name}") for p in decisions]),
    ]
    whole = [
        *GUIDES,
        ("Practices", [("All practices", "practices/index.md"), *by_principle]),
        REFERENCE,
        ("Extend", extend),
        ("Other tools", "comparison.md"),
    ]

    def tables(pairs: list[Any]) -> list[Any]:
        return [{n: tables(v) if isinstance(v, list) else v} for n, v in pairs]

    return tables(whole)


def configuration() -> str:
    """The configuration of the site: no font, script or picture from elsewhere."""
    return f"""\
[project]
site_name = "mlops-audit"
site_description = "Which MLOps practices a repository really has, and its maturity level"
site_url = "https://mlops-audit.github.io/mlops-audit/"
docs_dir = "pages"
site_dir = "site"
nav = {toml(navigation())}

[project.theme]
font = false
features = ["content.code.copy", "navigation.indexes", "navigation.top", "search.highlight"]

[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"
toggle.icon = "lucide/sun"
toggle.name = "Dark"

[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"
toggle.icon = "lucide/moon"
toggle.name = "Light"

# Not `repo_url`: with it each page asks the forge's server for stars and releases.
[[project.extra.social]]
icon = "fontawesome/brands/github"
link = "{FORGE}"
name = "Source"

[project.markdown_extensions]
admonition = {{}}
attr_list = {{}}
tables = {{}}
[project.markdown_extensions.toc]
permalink = true
[project.markdown_extensions.pymdownx.highlight]
[project.markdown_extensions.pymdownx.superfences]
"""


def main() -> None:
    """Write everything."""
    if len(sys.argv) != 2:  # noqa: PLR2004 -- the script and its folder
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    shutil.copytree(ROOT / "docs", pages)
    for name in ("practices", "schemas"):
        (pages / name).mkdir()
    written = {
        "commands.md": command_page(),
        "configuration.md": configuration_page(),
        "models.md": model_pages(),
        "tools.md": tool_page(),
        "practices/index.md": practice_index(),
        "schemas/config.json": json.dumps(config_schema(), indent=2) + "\n",
        "schemas/report.json": json.dumps(report_schema(), indent=2) + "\n",
        **{f"practices/{p.slug}.md": practice_page(p) for p in catalogue()},
    }
    for name, text in written.items():
        (pages / name).write_text(text, "utf-8")
    (folder / "zensical.toml").write_text(configuration(), "utf-8")


if __name__ == "__main__":
    main()
