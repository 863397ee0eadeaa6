"""Names across files."""

from __future__ import annotations

from mlops_audit.facts.python import read_python
from mlops_audit.graph.index import CodeIndex, Symbol


def index(**files: str) -> CodeIndex:
    """An index over modules; `__` in a keyword stands for `/`."""
    paths = {name.replace("__", "/") + ".py": text for name, text in files.items()}
    return CodeIndex({p: read_python(p, t.encode()) for p, t in sorted(paths.items())})


def test_an_import_from_a_src_folder_finds_the_function() -> None:
    """`pkg.train.fit` means src/pkg/train.py wherever it is imported."""
    found = index(src__pkg__train="def fit(): ...", tests__t="from pkg.train import fit\nfit()")
    assert found.resolve("pkg.train.fit", "tests/t.py") == Symbol(
        "src/pkg/train.py", "fit", "function"
    )


def test_a_re_export_is_followed_to_the_definition() -> None:
    """A package's `__init__` that imports a name passes it on."""
    files = {
        "pkg/__init__.py": "from .core import run",
        "pkg/core.py": "def run(): ...",
        "main.py": "from pkg import run\nrun()",
    }
    found = CodeIndex({p: read_python(p, t.encode()) for p, t in files.items()})
    assert found.resolve("pkg.run", "main.py") == Symbol("pkg/core.py", "run", "function")


def test_an_inherited_method_is_found_in_the_base_class() -> None:
    """`Child.go` is the parent's method when the child has none."""
    found = index(
        base="class Base:\n    def go(self): ...",
        child="from base import Base\nclass Child(Base): ...\nChild().go()",
    )
    assert found.resolve(":Child.go", "child.py") == Symbol("base.py", "Base.go", "function")


def test_imports_in_a_circle_end() -> None:
    """Two modules that re-export each other's missing name resolve to nothing."""
    found = index(a="from b import x", b="from a import x")
    assert found.resolve("a.x", "b.py") is None


def test_a_name_of_a_star_import_is_found() -> None:
    """`from lib import *` brings it, also beside stars that lie outside and in circles."""
    found = index(
        main="from numpy import *\nfrom os import *\nfrom lib import *\nencode()\nnumpy.zeros(3)",
        lib="from main import *\ndef encode(): ...",
    )
    assert found.resolve("encode", "main.py") == Symbol("lib.py", "encode", "function")
    assert found.resolve("numpy.zeros", "main.py") is None
    assert found.resolve("missing", "main.py") is None


def test_a_function_given_as_argument_is_run() -> None:
    """`PythonOperator(python_callable=train)` runs train."""
    found = index(dag="def train(): ...\nOperator(python_callable=train)")
    call = found.modules["dag.py"].calls[0]
    assert found.targets(call, "dag.py") == (Symbol("dag.py", "train", "function"),)


def test_an_app_runs_the_only_command_that_it_has() -> None:
    """`app()` runs the function under `@app.command()`, unless there are several to choose from."""
    one = "import typer\napp = typer.Typer()\n@app.command()\ndef fit(): ...\napp()\n"
    two = one.replace("app()\n", "@app.command()\ndef other(): ...\napp()\n")
    for text, names in ((one, ["fit"]), (two, [])):
        found = index(train=text)
        call = found.modules["train.py"].calls[-1]
        assert [s.qualname for s in found.targets(call, "train.py")] == names


def test_what_was_fitted_is_no_class_that_cannot_be() -> None:
    """`model["svc"].fit(...)` before `.predict(...)` rules out a service without `fit`."""
    service = "class Service:\n    def predict(self, x): ..."
    fitted = 'def go(model):\n    model["svc"].fit([1])\n    model["svc"].predict([1])'
    asked = 'def go(model):\n    model["svc"].predict([1])'
    for program, wanted in (
        (fitted, ()),
        (asked, (Symbol("app.py", "Service.predict", "function"),)),
    ):
        found = index(app=service, main=program)
        calls = [c for c in found.modules["main.py"].calls if c.method == "predict"]
        assert found.targets(calls[0], "main.py") == wanted
