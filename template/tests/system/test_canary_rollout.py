"""A version rolled out in the real service, under real requests, and rolled back when it is bad."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from tests.system.conftest import Service

pytestmark = pytest.mark.slow


def ask(service: Service, question: dict[str, object]) -> dict[str, object]:
    """One request over HTTP."""
    request = urllib.request.Request(  # noqa: S310 - on this machine
        f"{service.url}/predict",
        data=json.dumps(question).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - on this machine
        found: dict[str, object] = json.loads(answer.read())
    return found


class Clients:
    """People who ask all the time, until the block ends."""

    def __init__(self, service: Service, question: dict[str, object]) -> None:
        """Remembers whom to ask what."""
        self.service, self.question = service, question
        self.stop = threading.Event()
        self.versions: list[str] = []
        self.failed: list[str] = []
        self.threads = [threading.Thread(target=self._ask_on) for _ in range(3)]

    def _ask_on(self) -> None:
        """Asks again and again."""
        while not self.stop.is_set():
            try:
                self.versions.append(str(ask(self.service, self.question)["model_version"]))
            except OSError as error:
                self.failed.append(str(error))

    def __enter__(self) -> Self:
        """They begin."""
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """They end."""
        self.stop.set()
        for thread in self.threads:
            thread.join()


def version_of(service: Service, place: str) -> str:
    """The version of the model in a folder."""
    text = (service.folder / "models" / place / "model.json").read_text(encoding="utf-8")
    return str(json.loads(text)["version"])


CONTROLLER = ("serving.canary", "--plan=canary.yaml")


def test_a_sound_version_takes_over(service: Service, question: dict[str, object]) -> None:
    """While clients ask, the share grows to all, and no request fails."""
    with Clients(service, question) as clients:
        done = service.run(*CONTROLLER, f"--url={service.url}")
        at_the_end = len(clients.versions)
    assert done.returncode == 0, done.stderr
    assert clients.failed == []
    assert set(clients.versions) == {version_of(service, "production"), version_of(service, "previous")}
    assert set(clients.versions[at_the_end + 5 :]) <= {version_of(service, "production")}


@pytest.mark.parametrize("service", ["broken"], indirect=True)
def test_a_broken_version_is_taken_back(service: Service, question: dict[str, object]) -> None:
    """A version whose every prediction is out of range: clients get answers, then the old version alone."""
    with Clients(service, question) as clients:
        done = service.run(*CONTROLLER, f"--url={service.url}")
        at_the_end = len(clients.versions)
    assert done.returncode == 1
    assert "was rolled back" in done.stderr
    assert clients.failed == []
    assert set(clients.versions[at_the_end + 5 :]) <= {version_of(service, "previous")}
    state = json.loads((service.folder / "data/monitoring/rollout.json").read_text(encoding="utf-8"))
    assert state["weight"] == 0.0
