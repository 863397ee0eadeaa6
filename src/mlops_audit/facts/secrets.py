"""Credentials in text: providers' formats, and passwords assigned in clear.

A hit needs a form that people do not write by chance, and must not be one of the things that
look like it: placeholders, documented examples, look-ups of the environment, defaults of a local
compose stack, hashes in locks.
"""

from __future__ import annotations

import math
import re
from binascii import a2b_base64
from collections.abc import Iterator

from msgspec import Struct

from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["ASIDE", "SecretHit", "find_secrets", "secret_in_string"]

# Tests and documents hold invented credentials; only a provider's own format counts there.
ASIDE = regex(
    r"(^|/)(tests?|testing|fixtures?|examples?|docs?|samples?|mocks?)/|(^|/)test_|_test\.py$",
    re.IGNORECASE,
)
_MAX_TEXT = 4 * 1024 * 1024
_MAX_LINE = 20_000
_MAX_HITS = 200


class SecretHit(Struct, frozen=True):
    """A credential: `kind` says whose, `confidence` is `high` or `medium`, `excerpt` is masked."""

    span: Span
    kind: str
    confidence: str
    excerpt: str


# Providers' formats (their own documentation, and GitHub's list of secret scanning patterns).
# Every pattern starts with a fixed text, given first, so that a line is searched only with it.
_PROVIDERS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, start, regex(pattern))
    for kind, start, pattern in (
        ("AWS access key", "AKIA", r"(?<![A-Za-z0-9])AKIA[0-9A-Z]{16}(?![A-Za-z0-9])"),
        ("AWS access key", "ASIA", r"(?<![A-Za-z0-9])ASIA[0-9A-Z]{16}(?![A-Za-z0-9])"),
        ("private key", "-----BEGIN", r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY-----"),
        ("Google API key", "AIza", r"(?<![\w-])AIza[0-9A-Za-z_-]{35}(?![\w-])"),
        ("Google OAuth secret", "GOCSPX-", r"GOCSPX-[0-9A-Za-z_-]{28}"),
        ("GitHub token", "gh", r"(?<!\w)gh[pousr]_[0-9A-Za-z]{36,255}"),
        ("GitHub token", "github_pat_", r"github_pat_[0-9A-Za-z_]{60,255}"),
        ("GitLab token", "glpat-", r"(?<!\w)glpat-[0-9A-Za-z_-]{20,}"),
        ("Hugging Face token", "hf_", r"(?<!\w)hf_[A-Za-z]{34}(?!\w)"),
        ("OpenAI key", "sk-", r"(?<![\w-])sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{40,200}"),
        ("Anthropic key", "sk-ant-", r"(?<![\w-])sk-ant-[A-Za-z0-9_-]{30,200}"),
        ("Slack token", "xox", r"(?<!\w)xox[baprs]-[0-9A-Za-z-]{20,200}"),
        (
            "Slack webhook",
            "hooks.slack.com",
            r"hooks\.slack\.com/services/T[0-9A-Z]{6,12}/B[0-9A-Z]{6,12}/[0-9A-Za-z]{20,30}",
        ),
        (
            "Discord webhook",
            "/api/webhooks/",
            r"discord(?:app)?\.com/api/webhooks/\d{15,20}/[\w-]{60,80}",
        ),
        ("Stripe key", "k_live_", r"(?<!\w)[rs]k_live_[0-9A-Za-z]{20,200}"),
        ("SendGrid key", "SG.", r"(?<!\w)SG\.[\w-]{22}\.[\w-]{43}"),
        ("npm token", "npm_", r"(?<!\w)npm_[0-9A-Za-z]{36}(?!\w)"),
        ("PyPI token", "pypi-", r"(?<!\w)pypi-AgEIcHlwaS5vcmc[\w-]{50,300}"),
        ("Databricks token", "dapi", r"(?<!\w)dapi[0-9a-f]{32}(?!\w)"),
        ("Azure storage key", "AccountKey=", r"AccountKey=[A-Za-z0-9+/]{86}=="),
        (
            "Azure SAS",
            "sig=",
            r"[?&]s[a-z]{1,2}=[^&\s]{1,60}[^\s\"']{0,400}&sig=[A-Za-z0-9%+/]{40,70}",
        ),
        (
            "Kaggle key",
            '"key"',
            r'"username"\s{0,9}:\s{0,9}"[^"]{1,80}"\s{0,9},\s{0,9}"key"\s{0,9}:\s{0,9}"[0-9a-f]{32}"',
        ),
        ("Weights & Biases key", "wandb_v1_", r"(?<!\w)wandb_v1_[0-9A-Za-z_]{40,160}"),
        ("DigitalOcean token", "dop_v1_", r"(?<!\w)dop_v1_[0-9a-f]{64}"),
        ("JSON web token", "eyJ", r"(?<![\w-])eyJ[\w-]{15,500}\.eyJ[\w-]{15,2000}\.[\w-]{20,600}"),
    )
)
_URL = regex(
    r"(?<![\w+.-])([a-z][a-z0-9+.-]{1,20})://([^\s:/@\"'<>]{1,80}):([^\s/@\"'<>]{1,200})"
    r"@([\w.-]{1,200})"
)
_NAME = (
    r"(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|"
    r"auth[_-]?token|access[_-]?token|token|account[_-]?key|private[_-]?key|client[_-]?secret|"
    r"(?:read|write)(?:[_-]?only)?[_-]?key|credentials?|connection[_-]?string)[\w-]{0,30}"
)
_GIVEN = r"[\"']?\s{0,20}(?::=|=>|=|:)\s{0,20}"
_NAMED = regex(
    rf"(?i)(?<![a-z])(?P<name>[\w.-]{{0,60}}?{_NAME}){_GIVEN}"
    r"(?P<quote>[\"'])(?P<value>[^\"'\n]{6,300})(?P=quote)"
)
# The part of it that is found fast, and what may stand before and behind it.
_NAMED_NEAR = regex(rf"(?i){_NAME}{_GIVEN}[\"']")
_BEFORE, _BEHIND = 60, 301
_NAMED_BARE = regex(
    r"(?i)^\s{0,40}(?:export\s+|set\s+|ENV\s+|ARG\s+|- )?"
    r"(?P<name>[\w.-]{0,60}?(?:password|passwd|secret|"
    r"api[_-]?key|access[_-]?key|token|account[_-]?key|client[_-]?secret)[\w-]{0,30})"
    r"\s{0,20}(?:=|:\s)\s{0,20}(?P<value>[^\s\"'#$<{]{8,300})\s*$"
)
# What a request says of who sends it: `"Authorization": "Bearer 6fb5..."`, also on curl's line.
_HEADER = regex(
    r"(?i)\bauthorization[\"']?\s{0,9}[:=]\s{0,9}[\"']?(?:(?:bearer|basic|token|key|api-?key)\s{1,3})?"
    r"(?P<value>[A-Za-z0-9._+/=-]{16,300})[\"']"
)
# Given to a program on its line, such as `docker run -e API_KEY=...` or `API_KEY=... python x.py`.
_NAMED_WORD = regex(
    r"(?:^|[\s\"'])(?P<name>[A-Z0-9_]{0,60}?(?:PASSWORD|SECRET|API_?KEY|ACCESS_?KEY|TOKEN)"
    r"[A-Z0-9_]{0,20})=(?P<value>[^\s\"'#$<{;&|]{16,300})(?=[\s\"';]|$)"
)
_BARE_FILES = regex(
    r"(?:\.env(?:\.[\w-]+)?|\.ya?ml|\.cfg|\.ini|\.conf|\.properties|\.toml|\.sh|\.bat|\.ps1|ockerfile[\w.-]*|akefile)$"
)
_KEY_NAMES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("Weights & Biases key", "wandb", regex(r"[0-9a-f]{40}")),
    ("Comet key", "comet", regex(r"[A-Za-z0-9]{25}")),
    ("Kaggle key", "kaggle", regex(r"[0-9a-f]{32}")),
    ("Neptune token", "neptune", regex(r"eyJ[\w=-]{40,400}")),
    ("AWS secret key", "secret_access_key", regex(r"[A-Za-z0-9/+]{40}")),
)
_PLACEHOLDER = regex(
    r"(?i)^[\W_]*$|example|placeholder|change[_-]?me|change[_-]?this|replace|your|insert|dummy|fake|"
    r"sample|redacted|censored|todo|fixme|xxx|\*\*\*|\.\.\.|^<.*>$|^\[.*\]$|^\{.*\}$|\$\{|\$\(|^\$|\{\{|"
    r"^%\w|%\(|not[_-]?a[_-]?secret|^none$|^null$|^true$|^false$|^string$|^secret$|^password$|^token$|"
    r"1234567|abcdef|deadbeef|^test|[_-]test$|^foo|^bar|^my[_-]|here$|os\.environ|getenv|secrets\.|"
    r"sensitive|pass(?:word|wd)\d{0,4}$|vault|keyvault|ssm:|arn:aws|^file:|^/|^\./|^https?://|^env[.:]|process\.env|^!\w"
)
# Default passwords that the images of local stacks document themselves.
_DEFAULTS = frozenset(
    {
        "postgres", "postgresql", "admin", "administrator", "root", "minio", "minioadmin",
        "minio123", "airflow", "mlflow", "guest", "rabbitmq", "redis", "mysql", "mongo",
        "grafana", "prefect", "mage", "password", "passwd", "passw0rd", "secret", "test",
        "testing", "example", "user", "username", "local", "localhost", "dev", "development",
        "demo", "zenml", "kafka", "pass", "pswd", "qwerty", "hunter2", "superset", "jupyter",
        "sagemaker", "docker", "default", "public", "anonymous", "none", "null", "token", "key",
        "api_key", "apikey", "access_key", "secret_key", "changeit", "dbpassword",
        "db_password", "mypassword", "feast", "admin123", "root123", "password123",
        "postgres123", "airflow123", "minio-secret", "optuna", "metabase", "elastic",
    }
)  # fmt: skip
_LOCAL = regex(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|host\.docker\.internal|[\w-]+)(?::\d+)?$")
_SKIPPED = regex(
    r"(?:^|/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|[\w.-]*\.lock|pylock[\w.]*\.toml|"
    r"conda-lock\.ya?ml|[\w.-]*\.sum|\.secrets\.baseline|[\w.-]*\.min\.js|dvc\.lock)$"
)
_KEY_BODY = regex(r"[A-Za-z0-9+/]{30}")
_HEX_RUN = regex(r"[0-9a-f]{16}")
_WORDS = regex(r"[a-z]+(?:[_ .-][a-z]+)*", re.IGNORECASE)
_HEX_HASH = regex(r"(?:sha\d+[-:])?[0-9a-f]{32,128}", re.IGNORECASE)
# A package as `conda env export` writes it, `- asttokens=2.2.1=pyhd8ed1ab_0`: name, version, build.
_CONDA_SPEC = regex(r"\s{0,40}-\s+[\w.-]{1,100}=\d[\w.!+]{0,60}=\w{1,80}\s*$")
_EXAMPLE_FILE = regex(r"(?:example|sample|template|dist)", re.IGNORECASE)
_REFERENCE_NAME = regex(
    r"(?i)(?:name|id|arn|path|file|url|uri|env|var|field|column|type|ref|len|length|count|limit|"
    r"ids|names|pattern|regex|label|prompt|message|help|title|placeholder|header|version|scope|hash)s?$|"
    r"^(?:bos|eos|pad|unk|sep|cls|mask|max|min|num|n|special|stop|start|end|next|page)[_-]?|"
    r"tokeni[sz]er|token_?type|secret[_-]?(?:manager|scope|version)"
)


def _entropy(text: str) -> float:
    counts = {c: text.count(c) for c in set(text)}
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def _masked(text: str) -> str:
    shown = text[:4] if len(text) > 12 else text[:1]  # noqa: PLR2004 -- short ones show one sign
    return f"{shown}…({len(text)} characters)"


def _fake(text: str) -> bool:
    """Whether a value is plainly no credential."""
    if _PLACEHOLDER.search(text) or text.lower() in _DEFAULTS:
        return True
    return len(set(text)) < min(5, len(text))  # one sign over and over


def _example_key(text: str) -> bool:
    """Documented examples, such as AKIAIOSFODNN7EXAMPLE, and keys of one sign."""
    body = text[4:]
    return "EXAMPLE" in text or "XXXX" in text.upper() or "1234567" in text or len(set(body)) < 6  # noqa: PLR2004


def secret_in_string(value: str, context_name: str = "") -> str | None:
    """The kind of credential that a string is, given the name it is assigned or passed to.

    Args:
        value: the string, adjacent literals joined.
        context_name: the variable, key or keyword, e.g. `password`; empty where there is none.
    """
    value = value.strip()
    if not value or len(value) > _MAX_LINE:
        return None
    for kind, start, pattern in _PROVIDERS:
        if start in value:
            found = pattern.search(value)
            if found and not (_example_key(found[0]) or _example_token(found[0])):
                return kind
    url = _url_secret(value)
    if url is not None:
        return url
    return _named(context_name, value) if context_name else None


def _url_secret(text: str) -> str | None:
    if "://" not in text or "@" not in text:
        return None
    for found in _URL.finditer(text):
        user, password, host = found[2], found[3], found[4]
        if _fake(password) or password == user or _LOCAL.fullmatch(host):
            continue
        if host.endswith(("example.com", "example.org", ".local", ".internal")):
            continue
        return "password in a URL"
    return None


def _named(name: str, value: str) -> str | None:
    """The kind of credential of a value under a telling name."""
    lowered = name.lower().replace("-", "_")
    telling = re.search(
        r"password|passwd|pwd|secret|api_?key|access_?key|token|account_?key|private_?key|credential|"
        r"connection_?string|authorization|(read|write)_?(only_?)?key",
        lowered,
    )
    if value.startswith("eyJ") and value.count(".") > 1 and _example_token(value):
        return None
    if any(hint in lowered for _, hint, _ in _KEY_NAMES):
        for kind, hint, pattern in _KEY_NAMES:
            if hint in lowered and pattern.fullmatch(value) and not _fake(value):
                return kind
    if not telling or _REFERENCE_NAME.search(lowered) or _fake(value):
        return None
    if " " in value or len(value) < 6:  # noqa: PLR2004 -- nobody's real password
        return None
    if re.search(r"[(){}\[\]<>]", value) and not re.search(r"\d", value):
        return None
    entropy = _entropy(value)
    if re.search(r"password|passwd|pwd", lowered):
        # A password that mixes kinds of signs; a plain word is more often a name or a default.
        kinds = sum(bool(re.search(p, value)) for p in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w]"))
        letters = value.isalpha()  # `challengePassword` is a name
        return "password" if kinds >= 2 and entropy >= 2.5 and not letters else None  # noqa: PLR2004 -- tuned on corpora
    plain_word = _WORDS.fullmatch(value) is not None and not re.search(
        r"[A-Z].*[a-z].*[A-Z]", value
    )
    if plain_word or len(value) < 16 or entropy < 3.3 or not re.search(r"\d", value):  # noqa: PLR2004
        return None
    if re.fullmatch(r"[\w.-]+/[\w./-]+", value) and not re.search(r"[A-Z].*\d|\d.*[A-Z]", value):
        return None  # a path or an image
    if re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)+", value) and not (
        "key" in lowered or (lowered == "authorization" and _HEX_RUN.search(value))
    ):
        return None  # a slug, such as the name of a secret
    return "secret"


# Without one of these no rule matches; the second ones in any case of letters.
_STARTS = (*(start for _, start, _ in _PROVIDERS), "://")
_SUSPECTS = ("pass", "pwd", "secret", "key", "token", "credent", "authorization")


def find_secrets(
    text: str, path: str, *, cell: int | None = None, line: int = 1
) -> tuple[SecretHit, ...]:
    """Credentials in a text of any kind, at most one a line, in the order of the lines.

    Args:
        text: the text (of a notebook: one cell's source).
        path: the file; lock files are not searched.
        cell: the notebook cell.
        line: the line at which the text starts.
    """
    if _SKIPPED.search(path) or len(text) > _MAX_TEXT:
        return ()
    example = bool(_EXAMPLE_FILE.search(path.rsplit("/", 1)[-1]))
    bare = bool(_BARE_FILES.search(path))
    found: list[SecretHit] = []
    lines = text.split("\n")
    for index in _candidates(text):
        number, raw = index + line, lines[index]
        if len(found) >= _MAX_HITS:
            break
        for part in (raw[k : k + _MAX_LINE] for k in range(0, max(len(raw), 1), _MAX_LINE)):
            hit = _in_line(part, bare=bare)
            if hit is not None and not (example and hit[1] == "medium"):
                kind, confidence, value = hit
                below = "".join(lines[number - line + 1 : number - line + 4])
                if kind == "private key" and not _has_body(raw, below):
                    break
                found.append(SecretHit(Span(path, number, cell), kind, confidence, _masked(value)))
                break
    return tuple(found)


def _candidates(text: str) -> list[int]:
    """The lines (from 0) that hold a word without which no rule matches; most files have few."""
    lowered = text.lower()
    lines = {n for start in _STARTS if start in text for n in _lines_with(text, start)}
    lines.update(n for w in _SUSPECTS if w in lowered for n in _lines_with(lowered, w))
    return sorted(lines)


def _lines_with(text: str, word: str) -> Iterator[int]:
    position = number = 0
    while (found := text.find(word, position)) >= 0:
        number += text.count("\n", position, found)
        yield number
        position = text.find("\n", found)
        if position < 0:
            return


def _in_line(line: str, *, bare: bool) -> tuple[str, str, str] | None:
    """Kind, confidence and value of the first credential of a line."""
    if len(line) < 8:  # noqa: PLR2004 -- too short for any
        return None
    provided = _provided(line)
    if provided is not None:
        return provided
    if "://" in line and "@" in line:
        kind_of_url = _url_secret(line)
        if kind_of_url is not None:
            return kind_of_url, "medium", line.strip()[:1]
    lowered = line.lower()
    if "authorization" in lowered and (header := _HEADER.search(line)) is not None:
        kind_of_value = _named("authorization", header["value"])
        if kind_of_value is not None:
            sure = _HEX_HASH.fullmatch(header["value"]) is not None
            return kind_of_value, "high" if sure else "medium", header["value"]
    if not any(w in lowered for w in ("pass", "pwd", "secret", "key", "token", "credential")):
        return None
    for found in _assigned(line):
        kind_of_value = _named(found["name"], found["value"])
        if kind_of_value is not None:
            return kind_of_value, "medium", found["value"]
    named = (_NAMED_BARE.match(line) or _NAMED_WORD.search(line)) if bare else None
    if named and not _HEX_HASH.fullmatch(named["value"]) and not _CONDA_SPEC.match(line):
        kind_of_value = _named(named["name"], named["value"])
        if kind_of_value is not None:
            return kind_of_value, "medium", named["value"]
    return None


def _assigned(line: str) -> Iterator[re.Match[str]]:
    """Quoted values of names that promise a credential; lines of minified code hold thousands."""
    for near in _NAMED_NEAR.finditer(line):
        yield from _NAMED.finditer(line, max(near.start() - _BEFORE, 0), near.end() + _BEHIND)


def _provided(line: str) -> tuple[str, str, str] | None:
    for kind, start, pattern in _PROVIDERS:
        if start not in line:
            continue
        for found in pattern.finditer(line):
            if not (_example_key(found[0]) or _example_token(found[0])):
                return kind, "high", found[0]
    return None


_URL_SIGNS = str.maketrans("-_", "+/")


def _example_token(token: str) -> bool:
    """Whether a JSON web token is the sample of jwt.io or a local stack's own (`supabase-demo`)."""
    if not token.startswith("eyJ") or "." not in token:
        return False
    claims = token.split(".")[1]
    try:
        plain = claims.translate(_URL_SIGNS) + "=" * (-len(claims) % 4)
        told = a2b_base64(plain)
    except ValueError:
        return False
    return b'"1234567890"' in told or b"-demo" in told


def _has_body(line: str, below: str) -> bool:
    """Whether a key's header is followed by a key; alone it is what code looks for."""
    following = line.split("PRIVATE KEY-----", 1)[-1] + " " + below
    return bool(_KEY_BODY.search(following[:2_000]))
