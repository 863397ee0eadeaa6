"""What one function of test code does by itself: calls into the project, assertions, patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.graph.index import Symbol
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project asks for its tests, which are read from the project
    from mlops_audit.graph.project import Project

__all__ = ["ScopeFacts", "ScopeReader"]

_ASSERTING = frozenset(
    {
        "pytest.raises", "pytest.warns", "pytest.fail", "pytest.deprecated_call",
        "sklearn.utils.estimator_checks.check_estimator", "torch.autograd.gradcheck",
        "torch.autograd.gradgradcheck", "hamcrest.assert_that", "assertpy.assert_that",
    }
)  # fmt: skip
# Of the CDK's template in a test: `template.resource_count_is("AWS::S3::Bucket", 1)`.
_OF_TEMPLATES = regex(
    r"^(resource_count_is|has_resource|has_resource_properties|all_resources(_properties)?|"
    r"resource_properties_count_is|template_matches)$"
)
_REGRESSION = regex(r"(data|ndarrays|dataframe|num|file|image)_regression$")
_STARTS = frozenset(
    {
        "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "subprocess.Popen", "os.system", "os.popen", "runpy.run_path", "runpy.run_module",
        "importlib.import_module", "importlib.util.spec_from_file_location", "pexpect.spawn",
        "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "sh.python",
        "testbook.testbook", "papermill.execute_notebook", "streamlit.testing.v1.AppTest.from_file",
        "script_runner.run", "metaflow.Runner", "metaflow.runner.metaflow_runner.Runner",
    }
)  # fmt: skip
_CLIENT = regex(r"(TestClient|AsyncClient|\.test_client|TestApp|APIClient)\.\w+$")
_HELP = frozenset({"-h", "--help", "--version"})
_PATH = 300  # characters: longer texts are prose
_PATCHES = ("mock.patch", "mocker.patch", "monkeypatch.setattr", "mock.patch.object", "patch")
_FILE = regex(r"[\w./\-]{1,200}\.(?:py|sh|ipynb)\b")
_DOTTED = regex(r"^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){1,8}$")
_HTTP = regex(
    r"(requests|httpx|urllib\d?|aiohttp)\..*(get|post|put|request|urlopen|open|Session|Client)"
)
# A bundle is served for the test, by the server's own means.
_SERVED = regex(r"bentoml\.(\w+\.)*(HTTPServer|GrpcServer|host_bento|(Sync|Async)HTTPClient)$")
_LOCAL = regex(r"localhost|127\.0\.0\.1|0\.0\.0\.0|host\.docker|^https?://[\w\-]{1,40}:\d|^/")
_REMOTE = regex(r"^https?://[\w\-]{1,60}(\.[\w\-]{1,60}){1,6}")


class ScopeFacts(Struct, frozen=True):
    """Of one function: `own` code that it uses, `helpers` in test files that it calls.

    `calls` says where it calls which code, once each.
    """

    own: tuple[Symbol, ...] = ()
    guessed: tuple[Symbol, ...] = ()  # by a method's name alone
    helpers: tuple[Symbol, ...] = ()
    calls: tuple[tuple[Symbol, Evidence], ...] = ()
    asserts: tuple[Evidence, ...] = ()
    constant: tuple[Span, ...] = ()  # assertions that cannot fail
    patched: tuple[Symbol, ...] = ()
    service: bool = False  # calls a service by its address
    starts: bool = False  # starts programs, or loads files by their path
    drives: bool = False  # and has them do more than print their help
    files: tuple[Symbol, ...] = ()  # files of the project that it names, as things to start


class ScopeReader:
    """Reads the facts of functions in test code."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.index = project.index
        self._known: dict[tuple[str, str], ScopeFacts] = {}
        self._texts: dict[str, list[tuple[str, tuple[Symbol, ...]]]] = {}  # scope, what is meant

    def read(self, path: str, scope: str) -> ScopeFacts:
        """What a function (or a class with all its methods) does by itself."""
        key = (path, scope)
        if key not in self._known:
            self._known[key] = self._read(path, scope)
        return self._known[key]

    def _read(self, path: str, scope: str) -> ScopeFacts:
        module = self.project.modules[path]
        own: dict[Symbol, None] = {}
        guessed: dict[Symbol, None] = {}
        helpers: dict[Symbol, None] = {}
        patched: list[Symbol] = []
        shown: dict[Symbol, Evidence] = {}
        calls = [*module.calls_in(scope), *(c for c in module.calls if c.decorates == scope)]
        for call in calls:
            if not call.runs:
                continue
            if _is_patch(call):
                patched += self._patched(call, path)
                continue
            asked = [t for made in _clients(module, call) for t in self._targets(made, path)]
            for symbol in (*self._targets(call, path), *asked):
                if self.project.is_test(symbol.path):
                    helpers[symbol] = None
                    continue
                (guessed if call.name.startswith("?.") else own)[symbol] = None
                if not call.decorates and symbol not in shown:
                    shown[symbol] = Evidence(call.span, call.told)
        for name in self._asserted(module, scope):
            symbol_ = self.object(name, path)
            if symbol_ and not self.project.is_test(symbol_.path):
                own[symbol_] = None
        started = [c for c in calls if _starts(c)]
        asserts, constant = _assertions(module, scope, calls)
        return ScopeFacts(
            tuple(own),
            tuple(guessed),
            tuple(helpers),
            tuple(shown.items()),
            asserts,
            constant,
            tuple(patched),
            service=_calls_service(module, scope, calls),
            starts=bool(started),
            drives=any(not _asks_for_help(c) for c in started),
            files=tuple(dict.fromkeys(self._named(module, scope))),
        )

    def _targets(self, call: Call, path: str) -> Iterator[Symbol]:
        found = self.index.targets(call, path)
        yield from found
        if not any(s for s in found) and (symbol := self.object(call.name, path)):
            yield symbol
        stack: list[Value] = [*call.args, *(v for _, v in call.kwargs)]
        while stack:
            value = stack.pop()
            stack.extend(value.items)
            if value.name and (symbol := self.object(value.name, path)):
                yield symbol

    def object(self, name: str, path: str) -> Symbol | None:
        """What a name means in a module, objects that a module builds (`app`, `cli`) included."""
        if not name or name.startswith("?"):
            return None
        symbol = self.index.resolve(name, path) or self._elsewhere(name, path)
        if symbol is not None:
            return symbol
        head, _, last = name.rpartition(".")
        if not head.strip(".") or name.startswith(":"):
            return None
        holder = self.index.resolve(head, path) or self._elsewhere(head, path)
        if holder is None and head.count("."):
            return self._builder(head, path)
        if holder is None or holder.kind != "module":
            return None
        built = self.project.modules[holder.path].constants.get(last)
        return holder if built is not None and not _plain(built) else None

    def _builder(self, name: str, path: str) -> Symbol | None:
        """The module that builds an object whose method is called: `service.app.test_client`."""
        head, _, last = name.rpartition(".")
        holder = self.index.resolve(head, path) or self._elsewhere(head, path)
        if holder is None or holder.kind != "module":
            return None
        built = self.project.modules[holder.path].constants.get(last)
        return holder if built is not None and built.is_call else None

    def _elsewhere(self, name: str, path: str) -> Symbol | None:
        """A module that only a changed search path lets a test import, if one alone is meant."""
        root = name.split(".", 1)[0]
        if name.startswith((":", ".", "?")) or not root:
            return None
        homes = self._homes.get(root, ())
        if len(homes) > 1:
            homes = tuple(h for h in homes if self._added(path, h))
        if len(homes) != 1 or self.index.module(root, path):
            return None
        return self.index.resolve(name, f"{homes[0]}/.py" if homes[0] else ".py")

    def _added(self, path: str, home: str) -> bool:
        """Whether a module puts a folder on its search path (`sys.path.append("/a/scoring")`)."""
        ends = f"/{home}" if home else ""
        return bool(ends) and any(
            f"/{text.value.rstrip('/')}".endswith(ends)
            for text in self.project.modules[path].texts
            if not text.doc and not text.scope and len(text.value) < _PATH
        )

    @property
    def _homes(self) -> dict[str, tuple[str, ...]]:
        """Folders that hold a module of that bare name."""
        cached = getattr(self, "_homes_cache", None)
        if cached is None:
            found: dict[str, list[str]] = {}
            for path in sorted(self.project.modules):
                module = self.project.modules[path]
                if not module.notebook and not self.project.is_test(path):
                    folder, _, name = path.rpartition("/")
                    if name == "__init__.py":
                        folder, _, name = folder.rpartition("/")
                    found.setdefault(name.removesuffix(".py"), []).append(folder)
            cached = self._homes_cache = {k: tuple(v) for k, v in found.items()}
        return cached

    def _asserted(self, module: Module, scope: str) -> Iterator[str]:
        """Imported names that assertions look at."""
        aliases = {i.alias: i.dotted for i in module.imports if i.scope in {"", scope}}
        for item in module.asserts:
            if item.scope == scope or item.scope.startswith(f"{scope}."):
                yield from (aliases[n] for n in item.names if n in aliases)

    def _patched(self, call: Call, path: str) -> Iterator[Symbol]:
        first = call.arg(0, "target")
        if first is None:
            return
        if isinstance(first.literal, str):
            symbol = self.index.resolve(first.literal, path)
        else:
            second = call.arg(1, "attribute") or call.arg(1, "name")
            attribute = second.literal if second and isinstance(second.literal, str) else ""
            symbol = self.index.resolve(f"{first.name}.{attribute}".rstrip("."), path)
        if symbol and symbol.kind != "module":
            yield symbol

    def _program(self, path: str) -> Iterator[Symbol]:
        """The modules that starting a file runs: itself, or what a shell script starts."""
        if path in self.project.modules:
            yield Symbol(path, "", "module")
        elif path in self.project.scripts:
            reach = self.project.graph.reach([self.project.nodes.script(path, "")])
            for way in reach.of("module"):
                if way.node.key[0] in self.project.modules:
                    yield Symbol(way.node.key[0], "", "module")

    def _named(self, module: Module, scope: str) -> Iterator[Symbol]:
        """Files of the project whose path or dotted name stands in a function or its module."""
        if module.path not in self._texts:
            said = (
                (t.scope, tuple(self._meant(module, t.value))) for t in module.texts if not t.doc
            )
            self._texts[module.path] = [(inside, symbols) for inside, symbols in said if symbols]
        for inside, symbols in self._texts[module.path]:
            if not inside or inside == scope or inside.startswith(f"{scope}."):
                yield from symbols

    def _meant(self, module: Module, text: str) -> Iterator[Symbol]:
        """What a text names: files of the project, a module, an installed command."""
        folder = module.path.rpartition("/")[0]
        for name in _FILE.findall(text):
            place = self.project.places.file(name, folder)
            if place and not self.project.is_test(place):
                yield from self._program(place)
        words = text.split()
        dotted = words[words.index("-m") + 1] if "-m" in words[:-1] else text
        symbol = self.index.resolve(dotted, module.path) if _DOTTED.match(dotted) else None
        if symbol and not self.project.is_test(symbol.path):
            yield symbol
        entry = self.project.console_scripts.get(words[0]) if words else None
        target = self.index.resolve(entry.replace(":", "."), "") if entry else None
        if target:
            yield target


def _starts(call: Call) -> bool:
    """Whether a call starts a program, a command of a command line, or a file by its path."""
    return (
        call.name in _STARTS
        or call.method in {"invoke", "run_script"}
        or call.receiver == "script_runner"
    )


def _clients(module: Module, call: Call) -> Iterator[Call]:
    """The module's own test client that a call in a function asks: `client = TestClient(app)`."""
    if call.scope and _CLIENT.search(call.name):
        for made in module.calls:
            if not made.scope and made is not call and call.name.startswith(f"{made.name}."):
                yield made


def _asks_for_help(call: Call) -> bool:
    """Whether a program is started only to print its help or version."""
    first = call.arg(0, "args")
    words = (
        {i.literal for i in (first, *first.items) if isinstance(i.literal, str)} if first else set()
    )
    last = {w for text in words for w in text.split()[-1:]}
    return not last.isdisjoint(_HELP)


def _is_patch(call: Call) -> bool:
    name = call.name.replace("unittest.", "")
    return name.startswith("mock.patch") or any(
        name == p or f"{call.receiver}.{call.method}".endswith(p) for p in _PATCHES
    )


def _plain(value: Value) -> bool:
    """Whether a constant is only data."""
    return value.is_literal or (not value.is_call and bool(value.items or not value.name))


def _assertions(
    module: Module, scope: str, calls: list[Call]
) -> tuple[tuple[Evidence, ...], tuple[Span, ...]]:
    """The assertions that can fail, and the places of those that cannot."""
    good: list[Evidence] = []
    constant: list[Span] = []
    for item in module.asserts:
        if item.scope == scope or item.scope.startswith(f"{scope}."):
            never = any(g.never for g in item.guards)
            if item.constant or never or item.swallowed:
                constant.append(item.span)
            else:
                good.append(Evidence(item.span, f"assert {item.test}"))
    for raised in module.raises:
        inside = raised.scope == scope or raised.scope.startswith(f"{scope}.")
        if inside and raised.name in {"AssertionError", "?.AssertionError"}:
            good.append(Evidence(raised.span, "raise AssertionError"))
    for call in calls:
        if not call.runs or call.decorates or not _asserts(call):
            continue
        if _cannot_fail(call):
            constant.append(call.span)
        else:
            good.append(Evidence(call.span, call.told))
    return tuple(good), tuple(constant)


def _asserts(call: Call) -> bool:
    if call.name in _ASSERTING or call.method in {"fail", "shouldBe"}:
        return call.name in _ASSERTING or call.receiver == "self"
    if _REGRESSION.search(call.receiver) and call.method == "check":
        return True
    return call.method.lower().startswith("assert") or bool(_OF_TEMPLATES.match(call.method))


def _cannot_fail(call: Call) -> bool:
    """Whether an assertion is made on literals alone."""
    if _OF_TEMPLATES.match(call.method):
        return False  # they say what the template must hold
    values = [*call.args[:2], *(v for k, v in call.kwargs if k in {"first", "second", "expr"})]
    if call.method in {"assertTrue", "assertFalse", "assertIsNotNone", "assertIsNone"}:
        values = values[:1]
    literal = [v for v in values if v.is_literal]
    if values and len(literal) == len(values) and not call.name.startswith("pytest."):
        return True
    two = values[:2]
    return len(two) == 2 and two[0].text == two[1].text and not two[0].is_call  # noqa: PLR2004 -- a pair


def _calls_service(module: Module, scope: str, calls: list[Call]) -> bool:
    """Whether the function calls an address that may be the project's own service."""
    if any(_SERVED.match(c.name) for c in calls):
        return True
    web = [c for c in calls if _HTTP.match(c.name)]
    if not web:
        return False
    texts = [
        t.value
        for t in module.texts
        if not t.doc and (not t.scope or t.scope == scope or t.scope.startswith(f"{scope}."))
    ]
    if any(_LOCAL.search(t) for t in texts):
        return True
    return not any(_REMOTE.match(t) for t in texts)
