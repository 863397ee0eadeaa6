"""Fixtures of pytest: which function a test's parameter means, and which parameters mean none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from mlops_audit.facts.code import Function, Module
from mlops_audit.graph.index import CodeIndex, Symbol

__all__ = ["Fixtures"]

_HOPS = 4
# Fixtures of pytest itself and of the plugins that people commonly add; a parameter of one of
# these names is never "undefined". https://docs.pytest.org/en/stable/reference/fixtures.html
_GIVEN_WORDS = """
tmp_path tmpdir tmp_path_factory tmpdir_factory monkeypatch capsys capfd capsysbinary
capfdbinary capteesys caplog request recwarn pytestconfig cache doctest_namespace
record_property record_testsuite_property record_xml_attribute testdir pytester subtests
mocker session_mocker module_mocker class_mocker package_mocker requests_mock responses
httpx_mock respx_mock rmock client admin_client async_client async_rf db settings rf
admin_user django_user_model transactional_db django_db_setup django_db_blocker
django_assert_num_queries mailoutbox live_server benchmark faker freezer event_loop
unused_tcp_port unused_tcp_port_factory httpserver script_runner datadir shared_datadir
original_datadir lazy_datadir lazy_shared_datadir data_regression ndarrays_regression
dataframe_regression num_regression file_regression image_regression obtained_filename
snapshot snapshot_json aiohttp_client aiohttp_server aiohttp_raw_server loop page browser
context playwright browser_type spark_session spark_context docker_services
docker_compose_file docker_ip docker_compose_project_name postgresql postgresql_proc mongodb
redisdb celery_app celery_worker celery_session_app celery_config fs fs_session tb worker_id
testrun_uid cov no_cover mpl_image_compare qtbot anyio_backend anyio_backend_name selenium app
config_app accept_any cli_runner isolated_cli_runner project_factory cookies bake dag_bag
random_seed check cases tmp_workdir asyncio_mode aioresponses vcr vcr_config
"""
_GIVEN = frozenset(_GIVEN_WORDS.split())


class Fixtures:
    """The fixtures of a project's test code."""

    def __init__(
        self, modules: Mapping[str, Module], index: CodeIndex, tests: frozenset[str]
    ) -> None:
        self.modules = modules
        self.index = index
        self.tests = tests
        self._visible: dict[str, Mapping[str, Symbol]] = {}

    @cached_property
    def _defined(self) -> Mapping[str, Mapping[str, Symbol]]:
        """Fixtures by the module that defines them."""
        found: dict[str, dict[str, Symbol]] = {}
        for path, module in self.modules.items():
            for function in module.functions:
                if any(_is_fixture(d) for d in function.decorators):
                    symbol = Symbol(path, function.qualname, "function")
                    found.setdefault(path, {})[_fixture_name(module, function)] = symbol
        return found

    @cached_property
    def autouse(self) -> Mapping[str, tuple[Symbol, ...]]:
        """Fixtures that every test of a module's folder uses, by module."""
        found: dict[str, list[Symbol]] = {}
        for path, fixtures in self._defined.items():
            for call in self.modules[path].calls:
                value = call.kw("autouse") if call.decorates else None
                if value is not None and value.literal is True:
                    found.setdefault(path, []).extend(
                        s for s in fixtures.values() if s.qualname == call.decorates
                    )
        return {k: tuple(v) for k, v in found.items()}

    def visible(self, path: str) -> Mapping[str, Symbol]:
        """The fixtures that tests in a file can name: its own, imported ones, its conftests'."""
        if path not in self._visible:
            found: dict[str, Symbol] = {}
            for module in self._sources(path):
                for name, symbol in self._defined.get(module, {}).items():
                    found.setdefault(name, symbol)
            self._visible[path] = found
        return self._visible[path]

    def implicit(self, path: str) -> Iterator[Symbol]:
        """The fixtures of a file that run for each of its tests without being named.

        Those of a conftest are left out: they prepare the world, and what they call is not what
        a test is about.
        """
        yield from self.autouse.get(path, ())

    def missing(self, path: str, function: Function) -> tuple[str, ...]:
        """The parameters of a test that nothing gives a value to."""
        module = self.modules[path]
        if any(not d.startswith(("pytest.mark.", "pytest.")) for d in function.decorators):
            return ()  # a patch, `given` or the like may give any of them
        if self._generates(path):
            return ()
        given = self._parametrised(module, function)
        known = self.visible(path)
        return tuple(
            p.name
            for p in function.params
            if p.default is None
            and p.name not in {"self", "cls", "args", "kwargs"}
            and p.name not in given
            and p.name not in known
            and p.name not in _GIVEN
            and not p.name.startswith("django_")
        )

    def conftests(self, path: str) -> tuple[str, ...]:
        """The conftest files that hold for a file, the nearest first."""
        parts = path.split("/")[:-1]
        found = []
        for depth in range(len(parts), -1, -1):
            candidate = "/".join([*parts[:depth], "conftest.py"])
            if candidate in self.modules:
                found.append(candidate)
        return tuple(found)

    def _sources(self, path: str) -> tuple[str, ...]:
        """Modules whose fixtures a file sees, the file itself first."""
        seen: dict[str, None] = {}
        queue = [(p, _HOPS) for p in (path, *self.conftests(path))]
        while queue:
            current, hops = queue.pop(0)
            module = self.modules.get(current)
            if module is None or current in seen or hops < 0:
                continue
            seen[current] = None
            named = [i.dotted for i in module.imports] + [i.module for i in module.imports]
            plugins = module.constants.get("pytest_plugins")
            named += list(plugins.strings()) if plugins else []
            for name in named:
                symbol = self.index.resolve(name, current)
                if symbol and symbol.path in self._defined:
                    queue.append((symbol.path, hops - 1))
        return tuple(seen)

    def _generates(self, path: str) -> bool:
        """Whether a hook may give parameters that nothing else names."""
        return any(
            self.modules[p].function("pytest_generate_tests") for p in (path, *self.conftests(path))
        )

    @staticmethod
    def _parametrised(module: Module, function: Function) -> frozenset[str]:
        """The parameters that `parametrize` marks of the function, class or module give."""
        found: set[str] = set()
        for call in module.calls:
            around = call.decorates in {function.qualname, function.owner or function.qualname}
            if not call.name.endswith("parametrize") or not (around or not call.scope):
                continue
            names = call.arg(0, "argnames")
            for text in names.strings() if names else ():
                found.update(n.strip() for n in text.split(","))
        return frozenset(found)


def _is_fixture(decorator: str) -> bool:
    return decorator.rsplit(".", 1)[-1] in {"fixture", "yield_fixture", "parametrize_with_cases"}


def _fixture_name(module: Module, function: Function) -> str:
    for call in module.calls:
        if call.decorates == function.qualname and _is_fixture(call.name):
            given = call.kw("name")
            if given is not None and isinstance(given.literal, str):
                return given.literal
    return function.name
