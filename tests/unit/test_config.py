"""Configuration: what is read, what is refused, and how it is said."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import validator_for

from mlops_audit.config import Config, ConfigError, load_config, parse_config, today
from mlops_audit.model import Strength
from mlops_audit.schema import config_schema

DAY = date(2026, 6, 1)
ENTRY = 'practice = "MON05"\nreason = "r"\nowner = "o"\nexpires = 2026-12-31\n'


def own(text: str) -> Config:
    """Read text as `mlops-audit.toml`."""
    config, diagnostics = load_config({"mlops-audit.toml": text.encode()}, day=DAY)
    assert not diagnostics
    return config


def refused(text: str) -> str:
    """The message with which text is refused."""
    with pytest.raises(ConfigError) as caught:
        own(text)
    return str(caught.value)


def test_nothing_gives_the_defaults() -> None:
    """Without a file every setting has its default."""
    assert load_config({}, day=DAY) == (Config(), ())


def test_every_key_of_the_contract_is_read() -> None:
    """Each documented key reaches its field."""
    config = own(
        'target = 3\nfail-under = "Manual"\nmodel = ["ladder", "google"]\nexclude = ["old/"]\n'
        'require = "found"\n'
        '[roles]\nkind = "trains"\ntraining = ["a.py"]\nserving = []\npipeline = []\n'
        'tests = ["t"]\n'
        f"[[waivers]]\n{ENTRY}[[attestations]]\n{ENTRY}"
        'url = "https://x"\ndate = 2026-01-01\n'
        '[promotion-approver]\nowner = "o"\nreason = "r"\nexpires = "2027-01-01"\n'
        '[canvas]\nmetadata-store = "one model only"\n'
        '[tools.mine]\nname = "Mine"\n'
    )
    assert (config.target, config.fail_under) == (3, "Manual")
    assert config.models == ("ladder", "google")
    assert config.exclude == ("old/",)
    assert config.roles.kind == "trains"
    assert config.roles.training == ("a.py",)
    assert config.waivers[0].expires == "2026-12-31"
    assert config.attestations[0].url == "https://x"
    assert config.promotion_approver is not None
    assert config.promotion_approver.practice == "AUT13"
    assert config.canvas == {"metadata-store": "one model only"}
    assert config.tools == {"mine": {"name": "Mine"}}
    assert config.require == {"*": Strength.FOUND}


def test_own_file_wins_over_pyproject() -> None:
    """`mlops-audit.toml` wins over `[tool.mlops-audit]`."""
    files = {
        "mlops-audit.toml": b"target = 2\n",
        "pyproject.toml": b"[tool.mlops-audit]\ntarget = 4\n",
    }
    config, _ = load_config(files, day=DAY)
    assert config.target == 2
    assert config.source == "mlops-audit.toml"


def test_pyproject_without_a_table_configures_nothing() -> None:
    """Other tools' tables are none of ours."""
    config, _ = load_config({"pyproject.toml": b"[tool.ruff]\nx = 1\n"}, day=DAY)
    assert config == Config()


def test_a_table_that_is_none_is_refused() -> None:
    """`tool.mlops-audit = 3` is a mistake and not an absent configuration."""
    with pytest.raises(ConfigError, match="must be a table"):
        load_config({"pyproject.toml": b"[tool]\nmlops-audit = 3\n"}, day=DAY)


def test_unreadable_toml_is_a_diagnostic_and_the_defaults_hold() -> None:
    """A broken file of the audited repository stops nothing."""
    config, (diagnostic,) = load_config({"pyproject.toml": b"[tool\n"}, day=DAY)
    assert config == Config()
    assert "defaults" in diagnostic.message


def test_unreadable_toml_that_a_person_named_is_an_error() -> None:
    """A broken `--config` file is a wrong call."""
    with pytest.raises(ConfigError, match=r"my\.toml"):
        parse_config(b"= 1", "my.toml", day=DAY)


def test_named_pyproject_is_read_at_its_table() -> None:
    """`--config pyproject.toml` reads `[tool.mlops-audit]`."""
    config = parse_config(b"[tool.mlops-audit]\ntarget = 1\n", "pyproject.toml", day=DAY)
    assert config.target == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targt = 2", "did you mean 'target'"),
        ("[roles]\nkid = 'trains'", "roles.kid: unknown key; did you mean 'kind'"),
        ("[roles]\nkind = 'train'", "did you mean 'trains'"),
        ("target = true", "must be an integer or a string"),
        ("exclude = 'x'", "must be a list"),
        ("[[waivers]]\npractice = 'TST01'\nowner = 'o'\nexpires = 2026-01-01", "no 'reason'"),
        ("[[waivers]]\npractice = 'TST01'\nreason = 'r'\nexpires = 2026-01-01", "no 'owner'"),
        ("[[waivers]]\npractice = 'TST01'\nreason = 'r'\nowner = 'o'", "no 'expires'"),
        (f"[[waivers]]\n{ENTRY}url = 'x'", "waivers[1].url: unknown key"),
        ("[[attestations]]\n" + ENTRY.replace("2026-12-31", '"soon"'), "YYYY-MM-DD"),
        ("[[attestations]]\n" + ENTRY.replace('"r"', '" "'), "must not be empty"),
        ("[promotion-approver]\nowner = 'o'", "no 'reason'"),
        ("require = 'verifyed'", "did you mean 'verified'"),
        ("[require]\nTST01 = 'often'", "require.TST01"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    """Each mistake is one line that names the file, the key and, if any, the nearest name."""
    message = refused(text)
    assert message.startswith("mlops-audit.toml: ")
    assert said in message
    assert "\n" not in message


def test_expiry_counts_its_own_day() -> None:
    """An entry holds through the day it names and not a day longer."""
    text = f"[[waivers]]\n{ENTRY}".replace("2026-12-31", "2026-06-01")
    assert not own(text).waivers[0].expired
    later, _ = load_config({"mlops-audit.toml": text.encode()}, day=date(2026, 6, 2))
    assert later.waivers[0].expired


def test_entries_know_their_lines() -> None:
    """An attestation can be shown as evidence at its own line."""
    config = own(f"[[waivers]]\n{ENTRY}\n[[attestations]]\n{ENTRY}")
    assert config.places == {"waiver:MON05": 2, "attestation:MON05": 8}


def test_today_is_what_the_build_says() -> None:
    """SOURCE_DATE_EPOCH decides what has expired, in UTC."""
    assert today({"SOURCE_DATE_EPOCH": "86399"}) == date(1970, 1, 1)
    with pytest.raises(ConfigError):
        today({"SOURCE_DATE_EPOCH": "yesterday"})


def test_published_schema_is_one_and_agrees() -> None:
    """The published schema is valid, and takes and refuses what the tool does."""
    schema = config_schema()
    cls = validator_for(schema)
    cls.check_schema(schema)
    validator = cls(schema)
    assert validator.is_valid({"target": 2, "require": {"TST01": "verified"}})
    assert validator.is_valid({"require": "found", "model": "google"})
    assert not validator.is_valid({"targt": 2})
    assert not validator.is_valid({"waivers": [{"practice": "TST01"}]})
    assert not validator.is_valid({"require": "often"})


@given(st.binary(max_size=200))
def test_any_bytes_give_settings_a_diagnostic_or_an_error(content: bytes) -> None:
    """Whatever stands in the file, nothing but a ConfigError is raised."""
    with contextlib.suppress(ConfigError):
        load_config({"mlops-audit.toml": content}, day=DAY)
