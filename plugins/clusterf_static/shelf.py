"""All files together: which service of which file counts, and what a new reading changes.

Pure: files are given as contents, and what follows comes out as records to put and to drop.
The work is the size of the files that changed; only their order is walked as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clusterf.model.provenance import Refusal
from clusterf.model.service import Record, Ref, Route, RouteRef
from clusterf_static.order import number
from clusterf_static.records import Content, Section


@dataclass(slots=True)
class Difference:
    """What has to be published. ``drop`` comes first."""

    drop: list[Ref] = field(default_factory=list)
    put: list[Record] = field(default_factory=list)


class Shelf:
    """The last good content of each file. Of two services of one name the earlier file's counts."""

    def __init__(self) -> None:
        self.files: dict[Path, Content] = {}
        self.duplicates: dict[str, Refusal] = {}
        """Refusals of services that an earlier file has too, by ``file services.name``."""
        self._holders: dict[str, tuple[Path, ...]] = {}
        """In order, for each service that any file has; the first counts."""
        self._services: dict[str, Section] = {}
        self._routes: dict[str, Route] = {}
        self._numbers: dict[str, int] = {}

    def records(self) -> Iterator[Record]:
        """Everything that counts."""
        for section in self._services.values():
            yield section.spec
            yield from section.backends.values()
        yield from self._routes.values()

    def update(self, changed: Mapping[Path, Content], gone: Collection[Path] = ()) -> Difference:
        """Take over new contents. A service that turned bad keeps what was good of it."""
        touched: dict[str, None] = {}
        reordered = bool(gone)
        for path in gone:
            touched |= dict.fromkeys(self._remove(path))
        for path, content in changed.items():
            before = self.files.get(path)
            if before is not None:
                _keep_good(content, before)
            reordered |= before is None or before.names != content.names
            touched |= dict.fromkeys(self._remove(path)) | dict.fromkeys(content.services)
            self.files[path] = content
            alone = (path,)
            for name in content.services:
                others = self._holders.get(name)
                self._holders[name] = tuple(sorted((*others, path))) if others else alone
        difference = Difference()
        counting = {name: self._counting(name) for name in touched}
        reordered |= any(
            (section is None) is (name in self._services) for name, section in counting.items()
        )
        if reordered:
            self._number(difference, touched)
        for name, section in counting.items():
            self._exchange(name, section, difference)
        self._exchange_routes(difference)
        return difference

    def _remove(self, path: Path) -> Iterable[str]:
        content = self.files.pop(path, None)
        if content is None:
            return ()
        for name in content.services:
            self.duplicates.pop(_key(path, name), None)
            left = tuple(other for other in self._holders.pop(name) if other != path)
            if left:
                self._holders[name] = left
        return content.services

    def _counting(self, name: str) -> Section | None:
        """The section of the first file that has it; the others' are refused."""
        holders = self._holders.get(name)
        if not holders:
            return None
        first = holders[0]
        if self.duplicates:
            self.duplicates.pop(_key(first, name), None)
        for path in holders[1:]:
            spec = self.files[path].services[name].spec
            self.duplicates[_key(path, name)] = Refusal(
                f"service {name}",
                "duplicate_service",
                f"as of {path.name} is not used: {first.name} comes first",
                spec.provenance,
                "one name is one service",
            )
        return self.files[first].services[name]

    def _number(self, difference: Difference, touched: Collection[str]) -> None:
        """Put the services in order; those whose number had to change are put again."""
        names = [
            name
            for path in sorted(self.files)
            for name in self.files[path].names
            if name in self.files[path].services and self._holders[name][0] == path
        ]
        self._numbers = number(names, self._numbers)
        for name, section in self._services.items():
            place = self._numbers.get(name)
            if place is not None and place != section.spec.order and name not in touched:
                spec = section.spec._replace(order=place)
                self._services[name] = Section(spec, section.backends)
                difference.put.append(spec)

    def _exchange(self, name: str, section: Section | None, difference: Difference) -> None:
        before = self._services.get(name)
        if section is None:
            if before is not None:
                del self._services[name]
                difference.drop.append(before.spec.ref)
                difference.drop.extend(backend.ref for backend in before.backends.values())
            return
        spec = section.spec
        if spec.order != self._numbers[name]:
            spec = spec._replace(order=self._numbers[name])
        if before is None:
            difference.put.append(spec)
            difference.put.extend(section.backends.values())
        else:
            if spec == before.spec:
                spec = before.spec
            else:
                difference.put.append(spec)
            for identity, backend in section.backends.items():
                if before.backends.get(identity) != backend:
                    difference.put.append(backend)
            difference.drop.extend(
                backend.ref
                for identity, backend in before.backends.items()
                if identity not in section.backends
            )
        self._services[name] = Section(spec, section.backends)

    def _exchange_routes(self, difference: Difference) -> None:
        """Routes count in their order, so where it changed they are all put anew."""
        routes: dict[str, Route] = {}
        for path in sorted(self.files):
            for name, route in self.files[path].routes.items():
                routes.setdefault(name, route)
        before, self._routes = self._routes, routes
        if list(before.items()) == list(routes.items()):
            return
        staying = [name for name in before if name in routes]
        if staying == list(routes)[: len(staying)]:
            difference.drop.extend(RouteRef(name) for name in before if name not in routes)
            difference.put.extend(
                route for name, route in routes.items() if before.get(name) != route
            )
        else:
            difference.drop.extend(RouteRef(name) for name in before)
            difference.put.extend(routes.values())


def _keep_good(content: Content, before: Content) -> None:
    """A service that is still there but wrong keeps its last good form."""
    for name in content.names:
        if name not in content.services and name in before.services:
            content.services[name] = before.services[name]


def _key(path: Path, name: str) -> str:
    return f"{path.name} services.{name}"
