"""The reader of pytest's configuration."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.pytestconf import CONFIG_NAMES, read_pytest_config


def test_pyproject_gives_patterns_paths_and_options() -> None:
    """Lists and texts of `[tool.pytest.ini_options]` become words."""
    data = b'[tool.pytest.ini_options]\npython_functions = ["check"]\naddopts = "-q --cov=shop"\n'
    config = read_pytest_config("pyproject.toml", data)
    assert config is not None
    assert config.functions == ("check",)
    assert config.options == ("-q", "--cov=shop")
    assert config.files == ("test_*.py", "*_test.py")


def test_ini_files_have_their_own_sections() -> None:
    """`pytest.ini` says `[pytest]`, `setup.cfg` says `[tool:pytest]`."""
    ini = read_pytest_config("pytest.ini", b"[pytest]\npython_files = check_*.py *_spec.py\n")
    cfg = read_pytest_config("setup.cfg", b"[tool:pytest]\npython_classes = Check\n")
    assert ini is not None
    assert ini.files == ("check_*.py", "*_spec.py")
    assert cfg is not None
    assert cfg.classes == ("Check",)


def test_other_files_hold_no_configuration() -> None:
    """A file without the section, and one that does not parse, give None."""
    assert read_pytest_config("pyproject.toml", b"[tool.black]\n") is None
    assert read_pytest_config("pyproject.toml", b"= [") is None


@given(st.binary(max_size=300), st.sampled_from(CONFIG_NAMES))
def test_any_bytes_are_read_without_an_error(data: bytes, name: str) -> None:
    """Whatever a file holds, nothing is raised."""
    read_pytest_config(name, data)
