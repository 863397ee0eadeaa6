"""Practice names that people write: ids, prefixes and slugs, checked against what exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from mlops_audit.config import Config, ConfigError
from mlops_audit.maturity.loading import load_model
from mlops_audit.maturity.types import MaturityModel
from mlops_audit.model import Practice
from mlops_audit.schema import nearest

__all__ = ["Names"]


class Names:
    """Resolves names; those of the catalogue that do not exist as code yet are known too."""

    def __init__(
        self,
        practices: Sequence[Practice],
        ladder: MaturityModel,
        models: Iterable[MaturityModel] = (),
    ) -> None:
        self._practices = {p.id: p for p in practices}
        self._slugs = {p.slug: p.id for p in practices}
        self._reserved = set(ladder.reserved)
        self._models = tuple(models) or (ladder,)

    def one(self, text: str) -> str | None:
        """The id that an id or slug means, None if there is none."""
        name = text.strip()
        if name.upper() in self._practices or name.upper() in self._reserved:
            return name.upper()
        return self._slugs.get(name.lower().replace("_", "-"))

    def many(self, terms: Iterable[str]) -> frozenset[str]:
        """The ids that ids, prefixes (`AUT`, `TST0`) or slugs mean; commas separate several.

        Raises:
            ConfigError: a term means nothing; the message gives the nearest name.
        """
        found: set[str] = set()
        for term in (t.strip() for text in terms for t in text.split(",")):
            if not term:
                continue
            one = self.one(term)
            known = [*self._practices, *self._reserved]
            prefixed = {p for p in known if p.startswith(term.upper())}
            if not prefixed and one is None:
                raise ConfigError(f"no practice is called {term!r}{self._near(term)}")
            found |= prefixed or {one or ""}
        return frozenset(found)

    def _near(self, text: str) -> str:
        return nearest(text, [*self._practices, *self._reserved, *self._slugs])

    def _must(self, text: str, where: str) -> str:
        found = self.one(text)
        if found is None:
            raise ConfigError(f"{where}: no practice is called {text!r}{self._near(text)}")
        return found

    def checked(self, config: Config) -> Config:
        """The configuration with ids in place of slugs.

        Raises:
            ConfigError: a practice, level or block does not exist, or something is attested that
                the repository itself can show.
        """
        source = config.source or "configuration"
        for model in self._models:
            for practice in model.practices():
                self._must(practice, f"model {model.name}")
        attested = tuple(
            replace(a, practice=self._must(a.practice, f"{source}: attestations"))
            for a in config.attestations
        )
        for attestation in attested:
            known = self._practices.get(attestation.practice)
            if known is not None and not known.attestable:
                raise ConfigError(
                    f"{source}: attestations: {attestation.practice} ({known.slug}) cannot be"
                    " attested, since the repository itself can show it"
                )
        self._check_blocks(config, source)
        return replace(
            config,
            attestations=attested,
            waivers=tuple(
                replace(w, practice=self._must(w.practice, f"{source}: waivers"))
                for w in config.waivers
            ),
            require={self._required(key, source): value for key, value in config.require.items()},
            places={self._place(key): line for key, line in config.places.items()},
        )

    def _place(self, key: str) -> str:
        kind, _, practice = key.partition(":")
        return f"{kind}:{self.one(practice) or practice}" if practice else key

    def _required(self, key: str, source: str) -> str:
        if key == "*":
            return key
        for model in self._models:
            names = model.level_names()
            if key in {str(n) for n in names} or key.casefold() in {
                n.casefold() for n in names.values()
            }:
                return key
        return self._must(key, f"{source}: require")

    def _check_blocks(self, config: Config, source: str) -> None:
        if not config.canvas:
            return
        models = [m for m in self._models if m.blocks] or [load_model("stack-canvas")]
        blocks = [block.key for model in models for block in model.blocks]
        for key in config.canvas:
            if key not in blocks:
                raise ConfigError(f"{source}: canvas: no block {key!r}{nearest(key, blocks)}")
