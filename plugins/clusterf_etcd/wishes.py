"""What this host publishes, as keys and values: brought up to date service by service."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clusterf.model.service import Backend, Route
from clusterf.plugin import Statements
from clusterf_etcd.keys import KeyFault, key_of
from clusterf_etcd.planning import Wish
from clusterf_etcd.writing import write


class Wishes:
    """Wanted keys of one agent. ``among`` picks the sources whose backends it publishes.

    ``faults`` has what cannot be published, by the record's name, and why.
    """

    def __init__(
        self, prefix: str, agent: str, among: Callable[[str], bool], *, routes: bool
    ) -> None:
        self.want: dict[str, Wish] = {}
        self.faults: dict[str, str] = {}
        self._prefix = prefix
        self._agent = agent
        self._among = among
        self._with_routes = routes
        self._keys: dict[str, set[str]] = {}
        """By service."""

    def rebuild(self, statements: Statements) -> None:
        """Take everything anew."""
        self.want.clear()
        self.faults.clear()
        self._keys.clear()
        for service in statements.services(self._among):
            self.update(service, statements)
        if self._with_routes:
            self._add(statements.routes(self._among))

    def update(self, name: str, statements: Statements) -> set[str]:
        """Take one service anew; returns the keys that it had and those that it has."""
        before = self._keys.pop(name, set())
        for key in before:
            self.want.pop(key, None)
            self.faults.pop(key, None)
        service = statements.service(name, self._among)
        if service is None:
            return before
        after = self._add(service.backends.values())
        if after:
            self._keys[name] = after
        return before | after

    def unknown(self, statements: Statements) -> str | None:
        """Why something may be missing in what is wanted, or None."""
        silent = statements.unspoken(self._among)
        if not silent:
            return None
        return f"{', '.join(silent)} {'has' if len(silent) == 1 else 'have'} not spoken yet"

    def _add(self, records: Iterable[Backend | Route]) -> set[str]:
        keys = set()
        for record in records:
            try:
                key = key_of(record.ref, self._prefix)
            except KeyFault as fault:
                key = str(record.ref)
                self.faults[key] = f"{record.provenance}: cannot be published: {fault}"
            else:
                value = write(record, agent=self._agent)
                self.want[key] = Wish(record.ref, value, str(record.provenance))
            keys.add(key)
        return keys
