"""Promotion gates: which comparisons decide, in which direction, and which only look so."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.facts.code import Compare, Value
from mlops_audit.graph import Project
from mlops_audit.graph.comparisons import judge, mentions_metric
from mlops_audit.model import Span
from mlops_audit.tree import MemoryTree

HEAD = "import mlflow\n\ndef main(accuracy, rmse, old_rmse, client):\n"
REGISTER = "mlflow.register_model('runs:/1/model', 'churn')\n"


def kinds(body: str, **files: str) -> list[str]:
    """The kinds of the gates of a module with this body, and of further modules."""
    tree = MemoryTree(
        {"register.py": (HEAD + body).encode(), **{f"{n}.py": t.encode() for n, t in files.items()}}
    )
    return [g.kind for g in Project.load(tree, Config()).gates]


def compare(left: str, op: str, right: str) -> Compare:
    """A comparison by its texts."""
    return Compare(Value(left), op, Value(right), Span("a.py", 1))


@pytest.mark.parametrize(
    ("left", "op", "right", "better"),
    [
        ("accuracy", ">", "0.8", True),
        ("accuracy", "<", "threshold", False),
        ("rmse", "<", "production_rmse", True),
        ("production_rmse", ">", "rmse", True),
        ("rmse", ">", "10", False),
        ("new_f1 - current_f1", ">=", "min_improvement", True),
        ("max_error", ">=", "mae", True),
    ],
)
def test_a_comparison_knows_its_direction(left: str, op: str, right: str, better: bool) -> None:  # noqa: FBT001 -- a table's column
    """More accuracy and less error are better, whichever side the new model stands on."""
    found = judge(compare(left, op, right))
    assert found is not None
    assert found.better is better


@pytest.mark.parametrize(("left", "right"), [("len(scores)", "3"), ("status", "200"), ("x", "y")])
def test_what_names_no_metric_is_no_gate(left: str, right: str) -> None:
    """Lengths, states and plain names are no metrics of a model."""
    assert judge(compare(left, ">", right)) is None


def test_a_threshold_that_any_model_meets_is_trivial() -> None:
    """`accuracy > 0` holds nothing back."""
    found = judge(compare("accuracy", ">", "0"))
    assert found is not None
    assert found.trivial


def test_errors_of_programs_are_no_metrics() -> None:
    """An error code is no error of a model."""
    assert not mentions_metric("error_code")
    assert mentions_metric("val_error")


def test_a_condition_around_the_registration_is_a_gate() -> None:
    """The registration depends on the comparison."""
    assert kinds(f"    if accuracy > 0.8:\n        {REGISTER}") == ["metric"]


def test_the_else_arm_is_read_as_negated() -> None:
    """Registering in the else arm of `accuracy > 0.8` registers the worse model."""
    body = f"    if accuracy > 0.8:\n        pass\n    else:\n        {REGISTER}"
    assert kinds(body) == ["inverted"]


def test_an_early_exit_is_a_gate() -> None:
    """Returning before the registration holds the model back."""
    assert kinds(f"    if rmse > old_rmse:\n        return\n    {REGISTER}") == ["metric"]


def test_a_warning_is_no_gate() -> None:
    """A comparison whose arm only prints decides nothing."""
    assert kinds(f"    if rmse > old_rmse:\n        print('worse')\n    {REGISTER}") == []


def test_a_flag_set_to_a_constant_is_no_gate() -> None:
    """`deploy_flag = 1` just before it is tested lets every model pass."""
    body = (
        "    deploy_flag = int(open('flag').read())\n    deploy_flag = 1\n"
        f"    if deploy_flag == 1:\n        {REGISTER}"
    )
    assert kinds(body) == ["constant"]


def test_a_flag_of_another_file_is_followed() -> None:
    """A key that another program writes from a comparison decides."""
    body = f"    result = load()\n    if result['is_better']:\n        {REGISTER}"
    other = "def compare(result, accuracy, production_accuracy):\n    result['is_better'] = accuracy > production_accuracy\n"  # noqa: E501 -- one line of the audited code
    assert kinds(body, evaluate=other) == ["metric"]


def test_the_caller_may_hold_the_condition() -> None:
    """A condition around the call of the function that promotes is a gate."""
    body = f"    {REGISTER}\n\ndef run(f1, threshold):\n    if f1 >= threshold:\n        main(f1, 1, 1, 1)\n"  # noqa: E501 -- one text
    assert kinds(body) == ["metric"]


def test_keeping_the_best_checkpoint_is_no_gate() -> None:
    """The best epoch of one run is kept, whatever is in use."""
    body = (
        "    best_rmse = 9\n    for _ in range(3):\n        if rmse < best_rmse:\n"
        f"            best_rmse = rmse\n            {REGISTER}"
    )
    assert kinds(body) == []


def test_a_property_may_hold_the_comparison() -> None:
    """Flags that are read from objects, whose properties compare or ask a method that does."""
    body = (
        "    passed = Test(accuracy).holds and Rival(rmse, old_rmse).is_better\n"
        "    if passed:\n        " + REGISTER + "\n\n"
        "class Test:\n"
        "    def _enough(self):\n        return self.accuracy > 0.8\n\n"
        "    @property\n    def holds(self):\n        return all([self._enough()])\n\n"
        "class Rival:\n"
        "    @property\n    def is_better(self):\n        return self.rmse < self.old_rmse\n"
    )
    assert set(kinds(body)) == {"metric"}
    assert "inverted" in kinds(body.replace("if passed", "if not passed"))
