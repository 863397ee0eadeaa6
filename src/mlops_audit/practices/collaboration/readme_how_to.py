"""COL01: the README says what the project is, how to set it up and how to run it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import CodeBlock, Document, Section
from mlops_audit.graph import Project
from mlops_audit.graph.docs import filled
from mlops_audit.graph.statements import plain, said_below
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_SETUP = regex(
    r"\b(install\w*|set[\s-]?(ting\s)?up\w*|requirements?|prerequisites?|getting[\s-]started|"
    r"get started|"
    r"quick\s?-?start\w*|dependenc\w+|build|deploy\w*|bootstrap|provision\w*|configur\w+)\b",
    re.IGNORECASE,
)
_RUN = regex(
    r"\b(run\w*|usage|using|use|how to|quick\s?-?start\w*|getting[\s-]started|train\w*|predict\w*|"
    r"inference|demo|examples?|reproduc\w+|execut\w+|launch\w*|serv(e|es|ing)|evaluat\w+|"
    r"sampl\w+|"
    r"workflow|walkthrough|tutorial|commands?|notebooks?|steps|api)\b",
    re.IGNORECASE,
)
_STARTS = regex(
    r"^\W*(using|use)\b|"
    r"\b(run\w*|usage|how to|quick\s?-?start\w*|getting[\s-]started|demo|reproduc\w+|"
    r"execut\w+|launch\w*|workflow|walkthrough|tutorial|commands?|steps|api)\b",
    re.IGNORECASE,
)
_PREPARES = regex(
    r"\b(install\w*|set[\s-]?(ting\s)?up\w*|requirements?|prerequisites?|getting[\s-]started|"
    r"get started|quick\s?-?start\w*|bootstrap|provision\w*)\b",
    re.IGNORECASE,
)
_NO_TEXT = regex(
    r"licen[cs]e|contribut|code of conduct|acknowledg|citation|author|contact|table of contents|"
    r"references|badges?|\bnotice|disclaimer",
    re.IGNORECASE,
)
_COSTS = regex(r"\bcosts?\b|\bpricing\b", re.IGNORECASE)  # of running it
# What goes wrong, and what somebody means to do one day.
_NOT_HOW = regex(
    r"\b(errors?|issues?|problems?|troubleshoot\w*|bugs?)\b|\b(you|we) (intend|plan|expect)\b|"
    r"\bgoing to\b",
    re.IGNORECASE,
)
# A command in the middle of a sentence: "the model is trained using invoke train".
_SPOKEN = regex(
    r"\b(using|run|runs|running|calling|by|via) "
    r"(invoke|make|dvc|python3?|poetry run|uv run) [\w./-]{3}"
)
_TREE = regex(r"[├└]──")  # which folders there are
_TASK = regex(r"^\s*([-*+]|\d+[.)])\s+\[[ xX]\]\s")  # an item of a list of things to do
_COMMAND = regex(r"^\s*(\$ |%|[>$] ?\w)|`[^`\n]{3,200}`")
# Sections that say how the project is handled, whatever their length.
_HANDLING = regex(r"^\W*(workflows?|steps?\b|usage|how to |commands?|running |run )", re.IGNORECASE)
_INSTALLS = regex(
    r"\b(pip3?|uv|poetry|pdm|pipenv|conda|mamba|pixi|hatch|npm|yarn|brew|apt(-get)?|rye)\s+"
    r"(install|sync|env create|create|add|pip|update|i)\b|\bmake\s+\w*(install|setup|env|init|"
    r"build)\w*|"
    r"\bdocker(-compose|\s+compose)?\s+(build|up|pull)\b|\bgit\s+clone\b|-m\s+venv\b|"
    r"\bvirtualenv\b|"
    r"\bpip\s+install\b|\bsetup\.sh\b|\bterraform\s+(init|apply)\b|requirements\.txt",
    re.IGNORECASE,
)
_RUNS = regex(
    r"\b(python[\d.]*|uv run|poetry run|pipenv run|torchrun|accelerate launch|bash|sh)\s+(-m\s+)?"
    r"(?!venv|pip|install|setup)[\w./${-]+|\./[\w./-]+\.sh\b|"
    r"\bmake\s+(?!\w*(install|setup|env|init|clean))[\w-]+|"
    r"\bdvc\s+(repro|exp)\b|\bdocker(-compose|\s+compose)?\s+(run|up)\b|\b(uvicorn|gunicorn|"
    r"streamlit|"
    r"jupyter|mlflow|kedro|prefect|airflow|dagster|zenml|metaflow|snakemake|nextflow|flask|just|"
    r"invoke|inv|tox|nox|task|kubectl|databricks|curl)\s+[\w-]+",
    re.IGNORECASE,
)
_ONLY_RUNS = regex(
    rf"^(?!.*(?:{_INSTALLS.pattern}|--version))(?=.*(?:{_RUNS.pattern}))",
    re.IGNORECASE | re.MULTILINE,
)
# A link that sets all of it up in a cloud: a stack, a template, a button.
_BUTTON = regex(
    r"console\.aws\.amazon\.com/cloudformation/[^\s)]{0,80}#/stacks/(new|create)|"
    r"portal\.azure\.com/#create/Microsoft\.Template|deploy\.cloud\.run|heroku\.com/deploy|"
    r"render\.com/deploy",
    re.IGNORECASE,
)
_VERSION = regex(r"--version\b")
# What a CI system does by itself, nobody runs.
_AUTOMATIC = regex(r"github actions|gitlab|jenkins|\bci\b|ci ?/ ?cd|continuous", re.IGNORECASE)
_LINK_ONLY = regex(r"\s*(?:[-*+]|\d+[.)])\s+\[[^\]\n]{1,200}\]\([^)\n]{1,300}\)\W{0,3}")
_RUNNERS = frozenset({"make", "just", "task", "invoke", "poe"})
_TARGETS = regex(r"\b(make|just|task|invoke|inv|poe)[ \t]+([\w-]+(?:[ \t]+[\w-]+)*)")
_WORDS = 8  # of a description that says what something is
_FIRST = 6  # sections whose lines are compared
_LINE = 5  # of one that stands below the title
_OPENS = regex(r"^(?!\s*([-*+]|\d+[.)]|\W*\[!|\W*!\[|<)\s?)\W*([^\W\d_]+\W+){4}")
_DESCRIBES = regex(rf"{_OPENS.pattern}.*\b(is|are|was|for|to|of|with|that|this|using|by)\b")
_ASIDE = regex(
    r"^\W*(notes?|important|disclaimer|news|warning|update|if you|click|find|see|please|check|"
    r"(the )?following|before you|start by|thanks|welcome to the (blog|course page))\b|"
    r"\b(deprecated|no longer|archived)\b",
    re.IGNORECASE,
)
_LOOKED_FOR = "a README with a description, set-up instructions and how to run it"


@practice(
    id="COL01",
    title="The README says what it is, how to set up and how to run",
    assets="code",
    level="1M~",
    sources="S3 S4",
    fix="Write into README.md what the project does, and the commands that set it up and run it.",
    template=("README.md",),
)
def readme_how_to(project: Project) -> Verdict:
    """Look for the three parts in the README and in the pages that it links."""
    readme = project.docs.readme
    if readme is None:
        hidden = [p for p in project.paths if re.match(r"readme", p, re.IGNORECASE)]
        if hidden:
            where = [Evidence(Span(p), project.unread.get(p, "not read")) for p in hidden[:2]]
            return unknown(f"{hidden[0]} could not be read", where)
        return failed("there is no README", looked_for=_LOOKED_FOR)
    found = _found(project, readme, project.docs.guide)
    shown = [e for e in found.values() if e is not None]
    lacking = [name for name, e in found.items() if e is None]
    if not lacking:
        return passed(f"{readme.path} says what it is, how to set up and how to run", shown)
    if len(shown) > 1:
        return partial(f"{readme.path} does not say {lacking[0]}", shown)
    for part in _of_parts(project):
        told = [e for e in _found(project, part, (part,)).values() if e is not None]
        if len(told) > 1:
            return partial(f"{readme.path} says too little; {part.path} says more of a part", told)
    if not shown:
        return hollow(
            f"{readme.path} has no content beyond its title",
            Evidence(Span(readme.path), "no description"),
            looked_for=_LOOKED_FOR,
        )
    return failed(
        f"{readme.path} does not say {' and '.join(lacking)}",
        looked_for=_LOOKED_FOR,
        evidence=shown,
    )


def _found(
    project: Project, readme: Document, pages: tuple[Document, ...]
) -> dict[str, Evidence | None]:
    return {
        "what it is": _what(project, readme),
        "how to set up": next(_parts(project, pages, _SETUP, _INSTALLS), None),
        "how to run": next(_parts(project, pages, _RUN, _RUNS), None),
    }


def _made(project: Project, text: str) -> bool:
    """Whether a command of a task runner builds or installs what the project needs."""
    targets = {t.name: t for t in project.targets if t.runner in _RUNNERS}
    todo = [n for _, names in _TARGETS.findall(text) for n in names.split()]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen or name not in targets:
            continue
        seen.add(name)
        for command in targets[name].commands:
            if _INSTALLS.search(command.text):
                return True
            todo += [n for _, names in _TARGETS.findall(command.text) for n in names.split()]
        todo += targets[name].needs
    return False


def _of_parts(project: Project) -> list[Document]:
    """The READMEs of folders whose code trains or serves: several projects in one repository."""
    code = project.roles.training | project.roles.serving
    return [
        d
        for d in project.docs.all
        if (folder := d.path.rpartition("/")[0])
        and re.fullmatch(r"readme(\.\w{2,4})?", d.path.rsplit("/", 1)[-1], re.IGNORECASE)
        and any(path.startswith(f"{folder}/") for path in code)
        and not project.is_example(d.path)
    ]


def _what(project: Project, readme: Document) -> Evidence | None:
    """The first section that describes the project rather than how to handle it."""
    for section in readme.sections:
        if _NO_TEXT.search(section.title) or _HANDLING.match(section.title):
            continue
        if _SETUP.search(section.title) and section.level > 1:
            continue
        opening = section is readme.sections[0] or section.level == 1
        if _prose(section) >= (_LINE if opening else _WORDS):
            return said_below(
                project, readme, section, _DESCRIBES, but=_ASIDE, deeper=False, opens=True
            )
    return None


def _says_how(section: Section, *, set_up: bool) -> bool:
    """Whether a heading says by itself, or its content shows, how something is done."""
    title = plain(section.title)
    if section.code or any(_RUNS.search(c) for c in re.findall(r"`([^`\n]{3,200})`", section.text)):
        return True
    if set_up:  # deployment, dependencies and the like may only be spoken of
        return bool(_PREPARES.search(title) or _INSTALLS.search(section.text))
    by_itself = _AUTOMATIC.search(title) and not re.search(r"\byou\b", section.text, re.IGNORECASE)
    return bool(_STARTS.search(title)) and not by_itself


def _is_name(document: Document, section: Section) -> bool:
    """Whether a heading is the title of a README, which names the project: `# ML walkthrough`."""
    first = next((s for s in document.sections if s.level), None)
    told = section.code or re.search(r"`[^`\n]{3,200}`", section.text)
    is_readme = re.match(r"readme\b", document.path.rsplit("/", 1)[-1], re.IGNORECASE)
    return bool(is_readme) and section is first and section.level == 1 and not told


def _prose(section: Section) -> int:
    """The words of a section without badges, pictures and lists of links."""
    text = "\n".join(ln for ln in section.text.split("\n") if not _LINK_ONLY.fullmatch(ln))
    return len(re.findall(r"[^\W\d_]{2,}", plain(text)))


def _parts(
    project: Project, pages: tuple[Document, ...], title: re.Pattern[str], does: re.Pattern[str]
) -> Iterator[Evidence]:
    """Places that say how: a section of that name with content, or a command in any."""
    other = _RUN if title is _SETUP else _SETUP
    shown = (_ONLY_RUNS, _RUNS) if title is _RUN else (_INSTALLS, _RUNS)
    but = None if title is _RUN else _VERSION
    for both in (False, True):
        titled = [
            (document, section)
            for document in pages
            for section in document.sections
            if section.level
            and title.search(section.title)
            and not _COSTS.search(section.title)
            and not _NOT_HOW.search(section.title)
            and bool(other.search(section.title)) is both
            and filled(document, section, _WORDS)
            and not _is_name(document, section)
            # A heading such as Evaluation may stand above results: something must be started.
            and _says_how(section, set_up=title is _SETUP)
        ]
        # A heading that opens with the word says it more surely than one that ends with it.
        strong = _PREPARES if title is _SETUP else _STARTS
        titled.sort(
            key=lambda item: (
                not shown[0].search(_commands(*item)),
                not strong.search(item[1].title),
                not title.match(item[1].title.lstrip("# *_0123456789.:")),
                not item[1].code,
            )
        )
        said = [said_below(project, d, s, *shown, _COMMAND, but=but) for d, s in titled[:_FIRST]]
        yield from sorted(said, key=lambda e: not _tells(e.detail))
    for document in pages:
        for section in document.sections:
            for block in section.code:
                if _TREE.search(block.text):
                    continue
                if does.search(block.text) or (does is _INSTALLS and _made(project, block.text)):
                    yield _in_block(block, does)
        for _, span, text in project.docs.paragraphs(document):
            if does is _INSTALLS and _BUTTON.search(text):
                yield Evidence(span, text)
            codes = () if _TASK.match(text) else re.findall(r"`([^`\n]{3,200})`", text)
            spoken = does is _RUNS and _SPOKEN.search(text)
            if any(does.search(code) for code in codes) or does.match(text) or spoken:
                yield Evidence(span, text)


def _tells(line: str) -> bool:
    """Whether a line is more than the caption of a picture or the name of a file."""
    command = _INSTALLS.search(line) or _RUNS.search(line) or _COMMAND.search(line)
    return bool(command) or len(re.findall(r"[^\W\d_]{2,}", plain(line))) >= _LINE


def _commands(document: Document, section: Section) -> str:
    """What stands as code in a section and in those below it."""
    parts = document.under(section)
    spoken = (code for s in parts for code in re.findall(r"`([^`\n]{3,200})`", s.text))
    return "\n".join([*(b.text for s in parts for b in s.code), *spoken])


def _in_block(block: CodeBlock, does: re.Pattern[str]) -> Evidence:
    """The line of a code block that does it, else its first one."""
    lines = [(n, x.strip()) for n, x in enumerate(block.text.split("\n")) if x.strip()]
    plain = [(n, x) for n, x in lines if not x.startswith("#")] or lines
    number, line = next(((n, x) for n, x in plain if does.search(x)), plain[0])
    return Evidence(Span(block.span.path, (block.span.line or 1) + number), line)
