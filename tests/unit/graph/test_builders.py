"""What the project's own functions give back is known by its library's name."""

from __future__ import annotations

import pytest

from mlops_audit.facts.python import read_python
from mlops_audit.graph.builders import Builders
from mlops_audit.graph.index import CodeIndex

FILES = {
    "pkg/build.py": """
import pytorch_lightning as pl
from mlflow import MlflowClient
from pkg.other import again

def trainer(epochs):
    made = pl.Trainer(max_epochs=epochs)
    return made

def client():
    return MlflowClient()

def either(x):
    if x:
        return pl.Trainer()
    return MlflowClient()

def through():
    return again()

def twice(x):
    made = pl.Trainer()
    made = x
    return made
""",
    "pkg/other.py": "from pkg.build import through\n\ndef again():\n    return through()\n",
    "pkg/steps.py": """
from sklearn.pipeline import Pipeline
from pkg.build import client

pipe = Pipeline([])
own = client()
name = "pipe"
""",
    "pkg/__init__.py": "from .steps import pipe\n",
    "pkg/circle.py": "from pkg.circle import one as one\n",
}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("pkg.build.trainer.fit", "pytorch_lightning.Trainer.fit"),
        (".build.client.log_metric", "mlflow.MlflowClient.log_metric"),
        ("pkg.build.either.fit", "pkg.build.either.fit"),
        ("pkg.build.twice.fit", "pkg.build.twice.fit"),
        ("pkg.other.again.fit", "pkg.other.again.fit"),
        ("pkg.steps.pipe.fit", "sklearn.pipeline.Pipeline.fit"),
        ("steps.pipe.fit", "sklearn.pipeline.Pipeline.fit"),
        ("pkg.pipe.fit", "sklearn.pipeline.Pipeline.fit"),
        ("pkg.steps.own.log_metric", "mlflow.MlflowClient.log_metric"),
        ("pkg.steps.name.join", "pkg.steps.name.join"),
        ("pkg.steps.none.fit", "pkg.steps.none.fit"),
        ("pkg.circle.one.fit", "pkg.circle.one.fit"),
        ("pandas.DataFrame.fit", "pandas.DataFrame.fit"),
        ("?.fit", "?.fit"),
    ],
)
def test_names(name: str, known: str) -> None:
    """A function or variable of one class gives its name; two classes or a circle give none."""
    modules = {p: read_python(p, text.encode()) for p, text in FILES.items()}
    assert Builders(CodeIndex(modules)).name(name, "pkg/main.py") == known


@pytest.mark.parametrize("first", range(12))
def test_who_is_asked_first_decides_nothing(first: int) -> None:
    """What a row of functions hands on does not depend on where one begins to look."""
    files = {
        f"pkg/m{number}.py": f"from pkg.m{number + 1} import f{number + 1}\n\n"
        f"def f{number}():\n    return f{number + 1}()\n"
        for number in range(11)
    }
    files["pkg/m11.py"] = "import mlflow\n\ndef f11():\n    return mlflow.MlflowClient()\n"
    index = CodeIndex({p: read_python(p, text.encode()) for p, text in files.items()})
    builders = Builders(index)
    names = [f"pkg.m{number}.f{number}.x" for number in range(12)]
    known = {name: builders.name(name, "run.py") for name in (*names[first:], *names[:first])}
    alone = {name: Builders(index).name(name, "run.py") for name in names}
    assert known == alone
    assert known[names[11]] == known[names[5]] == "mlflow.MlflowClient.x"
