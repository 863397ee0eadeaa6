"""The Python reader: names, guards, places, and bytes that are no Python."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.code import Call, Module
from mlops_audit.facts.python import read_python


def read(source: str) -> Module:
    """A module read from an indented text."""
    return read_python("m.py", textwrap.dedent(source).encode())


def call(module: Module, method: str) -> Call:
    """The first call of a method of that name."""
    return next(c for c in module.calls if c.method == method)


def test_an_alias_resolves_to_the_imported_name() -> None:
    """`import numpy as np; np.random.seed(1)` is `numpy.random.seed`, at its line."""
    module = read("""
        import numpy as np
        np.random.seed(1)
    """)
    found = call(module, "seed")
    assert found.name == "numpy.random.seed"
    assert found.span.line == 3
    assert found.args[0].literal == 1


def test_a_variable_has_the_type_of_its_constructor() -> None:
    """A method of a variable is named after the class that was called to make it."""
    module = read("""
        from sklearn.ensemble import RandomForestClassifier as Forest
        def train(x, y):
            model = Forest(n_estimators=10)
            model.fit(x, y)
    """)
    assert call(module, "fit").name == "sklearn.ensemble.RandomForestClassifier.fit"
    assert call(module, "fit").scope == "train"
    assert call(module, "RandomForestClassifier").kw("n_estimators").literal == 10  # type: ignore[union-attr]


def test_an_annotation_names_the_receiver_and_an_unknown_one_is_a_question_mark() -> None:
    """Annotated parameters give the type, others `?`."""
    module = read("""
        import pandas as pd
        def f(df: pd.DataFrame | None, other):
            df.groupby("a")
            other.groupby("b")
    """)
    names = [c.name for c in module.calls if c.method == "groupby"]
    assert names == ["pandas.DataFrame.groupby", "?.groupby"]


def test_an_attribute_that_is_loaded_or_constructed_has_the_constructors_type() -> None:
    """`joblib.load` in one branch says nothing of the class; the other branch names it."""
    module = read_python(
        "m.py",
        b"""
import joblib
from sklearn import tree
class Model:
    def __init__(self, path):
        if path.exists():
            self.classifier = joblib.load(path)
        else:
            self.classifier = tree.DecisionTreeClassifier()
    def train(self, x, y):
        self.classifier.fit(x, y)
""",
    )
    assert "sklearn.tree.DecisionTreeClassifier.fit" in [c.name for c in module.calls]


def test_a_name_that_a_function_sets_through_global_has_its_type_everywhere() -> None:
    """What a start-up function puts into a global name, others use before and after it."""
    module = read("""
        import onnxruntime as ort
        session = None
        def answer(x):
            return session.run(None, x)
        def start():
            global session
            session = ort.InferenceSession("net.onnx")
        def local():
            session = unknown()
            session.close()
    """)
    assert call(module, "run").name == "onnxruntime.InferenceSession.run"
    assert call(module, "close").name != "onnxruntime.InferenceSession.close"


def test_self_attributes_keep_the_type_they_were_given() -> None:
    """`self.model` is what `__init__` made it, in every method."""
    module = read("""
        import torch
        class Trainer:
            def __init__(self, net):
                self.optimiser = torch.optim.Adam(net.parameters())
            def run(self):
                self.optimiser.step()
                self.save()
            def save(self): ...
    """)
    assert call(module, "step").name == "torch.optim.Adam.step"
    assert call(module, "save").name == ":Trainer.save"
    assert module.function("Trainer.save").stub  # type: ignore[union-attr]


def test_a_call_behind_a_false_constant_never_runs() -> None:
    """A guard that the module itself fixes to false is known; one set twice is not."""
    module = read("""
        import wandb
        USE = False
        MAYBE = False
        MAYBE = True
        if USE:
            wandb.init()
        if MAYBE:
            wandb.log({})
        if False:
            wandb.finish()
        else:
            wandb.save("x")
    """)
    runs = {c.method: c.runs for c in module.calls}
    assert runs == {"init": False, "log": True, "finish": False, "save": True}


def test_relative_imports_keep_their_dots() -> None:
    """`from ..utils import load` is `..utils.load`."""
    module = read("from ..utils import load\nload()\n")
    assert module.calls[0].name == "..utils.load"


def test_assertions_that_cannot_fail_are_told() -> None:
    """A constant, a literal with a literal and a thing with itself are no tests."""
    module = read("""
        def test_x():
            assert True
            assert 1 == 1
            assert x == x
            assert f(1) == 2
    """)
    assert [a.constant for a in module.asserts] == [True, True, True, False]


def test_branches_carry_comparisons_and_arms() -> None:
    """A gate is a branch with its comparison and the lines of both arms."""
    module = read("""
        def gate(rmse, limit):
            if rmse > limit:
                raise SystemExit(1)
            else:
                register()
    """)
    branch = module.branches[0]
    assert branch.compares[0].op == ">"
    assert [r.name for r in module.raises_within(branch.body)] == ["SystemExit"]
    assert [c.name for c in module.calls_within(branch.orelse)] == ["register"]


def test_adjacent_string_literals_are_one_text() -> None:
    """Secrets split over literals are joined, with the name they are given to."""
    module = read('TOKEN = "ab" "cd"\nrun(key="x")\nd = {"password": "pw"}\n')
    assert [(t.value, t.context) for t in module.texts] == [
        ("abcd", "TOKEN"),
        ("x", "key"),
        ("pw", "password"),
    ]


def test_decorators_are_calls_that_name_what_they_decorate() -> None:
    """`@app.get("/x")` is a call of `fastapi.FastAPI.get` on the function below."""
    module = read("""
        from fastapi import FastAPI
        app = FastAPI()
        @app.get("/health")
        def health(): return {}
    """)
    found = call(module, "get")
    assert found.name == "fastapi.FastAPI.get"
    assert found.decorates == "health"


def test_a_file_that_is_no_python_says_so() -> None:
    """Python 2 and nested beyond all reason give an error with an empty module, no exception."""
    assert "line 1" in read_python("a.py", b"print 'x'").error
    assert read_python("a.py", b"(" * 5000 + b")" * 5000).error
    assert read_python("a.py", b"x = " + b"-" * 100_000 + b"1").error
    assert read_python("a.py", b"\x00").error


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """Whatever the bytes, a module comes back."""
    assert read_python("a.py", data).path == "a.py"


def test_method_and_function_of_one_name() -> None:
    """In a method's body a bare name is the module's, not that of the class."""
    code = read_python(
        "a.py",
        b"class A:\n    def run(self):\n        return run(1)\n\n\ndef run(x):\n    return x\n",
    )
    assert [c.name for c in code.calls] == [":run"]
