"""The reader of Jupyter notebooks: cells, their outputs, the code as one `Module`, its commands.

Only a notebook's source is code; outputs are looked at for being there, never for what they say.
"""

from __future__ import annotations

import json

import msgspec
from msgspec import Struct

from mlops_audit.facts.code import Module
from mlops_audit.facts.python import read_source
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command
from mlops_audit.regex import regex

__all__ = ["Cell", "Notebook", "read_cells", "read_notebook"]

MAX_BYTES = 50_000_000
# Cell magics whose body is still Python.
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "memit"})
_SHELL_MAGICS = frozenset({"bash", "sh", "shell", "script", "!"})
_MAGIC = regex(r"^(\s*)([%!?].*|.*\?\s*)$")
# A line magic that gives the session a variable; a value with spaces or `{}` is no constant.
_SETS = regex(r"%(?:set_)?env\s+([A-Za-z_]\w*)(?:\s*=\s*|\s+)([^\s{}$;|&`()<>]+)\s*$")
_ASSIGNED = regex(r"^(\s*)([\w, ]{1,80}=)\s*[!%]")


class Cell(Struct, frozen=True):
    """One cell; `index` counts from 1. `has_output` only says that outputs are stored."""

    index: int
    kind: str
    source: str
    has_output: bool = False
    execution_count: int | None = None
    tags: tuple[str, ...] = ()


class Notebook(Struct, frozen=True):
    """One notebook. `module` holds its Python code; `error` says why it could not be read."""

    path: str
    cells: tuple[Cell, ...] = ()
    language: str = "python"
    module: Module | None = None
    commands: tuple[Command, ...] = ()
    writes: tuple[str, ...] = ()  # files written by %%writefile
    error: str = ""

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells that hold anything."""
        return tuple(c for c in self.cells if c.kind == "code" and c.source.strip())

    @property
    def with_output(self) -> tuple[Cell, ...]:
        """The code cells with stored outputs."""
        return tuple(c for c in self.code_cells if c.has_output)


def read_cells(path: str, data: bytes) -> Notebook:
    """Read a notebook's cells alone; one that cannot be read says why in `error`."""
    if len(data) > MAX_BYTES:
        return Notebook(path, error=f"larger than {MAX_BYTES // 1_000_000} MB")
    try:
        document = _document(data)
    except (ValueError, RecursionError, MemoryError):
        return Notebook(path, error="not valid JSON")
    if not isinstance(document, dict):
        return Notebook(path, error="not a notebook")
    raw = document.get("cells")
    if raw is None:  # format 3
        sheets = document.get("worksheets")
        first = sheets[0] if isinstance(sheets, list) and sheets else {}
        raw = first.get("cells") if isinstance(first, dict) else None
    if not isinstance(raw, list):
        return Notebook(path, error="no cells")
    cells = tuple(_cell(i, c) for i, c in enumerate(raw, 1) if isinstance(c, dict))
    return Notebook(path, cells, _language(document))


def _document(data: bytes) -> object:
    try:
        return msgspec.json.decode(data)  # most of a notebook is output: three times faster
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(data)  # which also takes NaN, other encodings and lone surrogates


def read_notebook(path: str, data: bytes) -> Notebook:
    """Read a notebook of format 3 or 4; one that cannot be read says why in `error`."""
    notebook = read_cells(path, data)
    cells, language = notebook.cells, notebook.language
    if notebook.error or language != "python":
        return notebook
    source, bases, commands, writes = _flatten(path, cells)
    module = read_source(path, source.encode(), cells=bases, notebook=True)
    if module.error:
        module = _without_broken_cells(path, cells)
    return Notebook(path, cells, language, module, commands, writes)


def _cell(index: int, raw: dict[str, object]) -> Cell:
    kind = str(raw.get("cell_type", ""))
    source = raw.get("source", raw.get("input", ""))
    text = "".join(str(s) for s in source) if isinstance(source, list) else str(source or "")
    count = raw.get("execution_count", raw.get("prompt_number"))
    metadata = raw.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return Cell(
        index,
        kind,
        text,
        bool(raw.get("outputs")),
        count if isinstance(count, int) else None,
        tuple(str(t) for t in tags) if isinstance(tags, list) else (),
    )


def _language(document: dict[str, object]) -> str:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return "python"
    info, kernel = metadata.get("language_info"), metadata.get("kernelspec")
    name = info.get("name") if isinstance(info, dict) else None
    if not name and isinstance(kernel, dict):
        name = kernel.get("language") or kernel.get("name")
    text = str(name or "python").lower()
    return "python" if "python" in text else text


def _flatten(
    path: str, cells: tuple[Cell, ...]
) -> tuple[str, tuple[tuple[int, int], ...], tuple[Command, ...], tuple[str, ...]]:
    """All code cells as one text; magics become `pass` or commands, and keep their lines."""
    lines: list[str] = []
    bases: list[tuple[int, int]] = []
    commands: list[Command] = []
    writes: list[str] = []
    for cell in cells:
        if cell.kind != "code":
            continue
        bases.append((len(lines), cell.index))
        body = cell.source.splitlines()
        first = next((i for i, line in enumerate(body) if line.strip()), None)
        if first is not None and body[first].lstrip().startswith("%%"):
            words = body[first].strip()[2:].split()
            magic = words[0] if words else ""
            if magic in _SHELL_MAGICS:
                text = "\n".join(body[first + 1 :])
                commands += parse_shell(text, path=path, line=first + 2, cell=cell.index)
            elif magic == "writefile" and len(words) > 1:
                writes.append(words[-1])
            program = magic == "writefile" and words[-1].endswith(".py")
            if magic not in _PYTHON_MAGICS and not program:
                lines += [""] * len(body)
                continue
            body = [*body[:first], "", *body[first + 1 :]]
        for number, line in enumerate(body, 1):
            lines.append(_plain(line, path, cell.index, number, commands))
    return "\n".join(lines) + "\n", tuple(bases), tuple(commands), tuple(writes)


def _plain(line: str, path: str, cell: int, number: int, commands: list[Command]) -> str:
    """A line as plain Python: a shell escape is noted as a command and blanked."""
    stripped = line.lstrip()
    if stripped.startswith("!"):
        commands += parse_shell(stripped.lstrip("!"), path=path, line=number, cell=cell)
    elif stripped.startswith("%") and not stripped.startswith("%%"):
        words = stripped[1:]
        if words.split(" ", 1)[0] in {"pip", "conda", "run", "sh", "bash", "dvc", "sx"}:
            text = words.removeprefix("sh ").removeprefix("sx ")
            text = f"python {text[4:]}" if text.startswith("run ") else text
            commands += parse_shell(text, path=path, line=number, cell=cell)
        elif (put := _SETS.match(stripped)) is not None:
            text = f"export {put[1]}={put[2]}"
            commands += parse_shell(text, path=path, line=number, cell=cell)
    elif not (_MAGIC.match(line) and stripped.endswith("?")) and not _ASSIGNED.match(line):
        return line
    indent = line[: len(line) - len(stripped)]
    return f"{indent}pass"


def _without_broken_cells(path: str, cells: tuple[Cell, ...]) -> Module:
    """Read again with the cells that are no valid Python left blank; the rest still counts."""
    lines: list[str] = []
    bases: list[tuple[int, int]] = []
    for cell in cells:
        if cell.kind != "code":
            continue
        text, _, _, _ = _flatten(path, (cell,))
        body = text.splitlines() or [""]
        bases.append((len(lines), cell.index))
        if read_source(path, text.encode()).error:
            body = [""] * len(body)
        lines += body
    return read_source(path, ("\n".join(lines) + "\n").encode(), cells=bases, notebook=True)
