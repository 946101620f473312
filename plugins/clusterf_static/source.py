"""The source ``static``: services and routes of files, or of the configuration itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clusterf.model.counting import counted
from clusterf.model.problem import Code, Problem
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Record
from clusterf.plugin import Context, Publisher, SourceUnavailable
from clusterf_static.files import Kind, Listing, Reading, Signature, list_files, read_files
from clusterf_static.records import Content, read_content
from clusterf_static.settings import StaticSettings
from clusterf_static.shelf import Shelf
from clusterf_static.watching import Watch


class StaticSource:
    """Publishes what the files say. It outlives its runs: what was good is kept."""

    def __init__(self, settings: StaticSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._kind: Kind | None = None
        self._shelf = Shelf()
        self._seen: dict[Path, Signature | None] = {}
        self._bad: dict[Path, Problem] = {}
        self._refusals: dict[Path, dict[str, Refusal]] = {}
        self._refused: dict[str, Refusal] = {}
        self._synced = False

    async def run(self, publish: Publisher) -> None:
        """Publish, and go on publishing what changes; services in place are final.

        Raises:
            SourceUnavailable: the path is not there, or cannot be listed.
        """
        if self._settings.path is None:
            publish.replace(_records(read_content(self._settings.inline(), self._context.name)))
            return
        path = self._context.path(self._settings.path)
        self._synced = False
        watch = Watch(path, self._context)
        try:
            await self._follow(path, watch, publish)
        finally:
            watch.close()

    async def _follow(self, path: Path, watch: Watch, publish: Publisher) -> None:
        named: set[str] = set()
        while True:
            listing = await self._context.run_blocking(list_files, path)
            if watch.aim(listing.links):
                # Listed again under watch, so that no change falls between the two.
                listing = await self._context.run_blocking(list_files, path)
            self._settle_kind(path, listing.kind)
            await self._take(listing, named, publish)
            named = await watch.wait(self._settings.look) or set()

    def _settle_kind(self, path: Path, kind: Kind) -> None:
        if self._kind is None:
            self._kind = kind
        elif self._kind is not kind:
            raise SourceUnavailable(
                f"{path}: was {self._kind.value} and is {kind.value} now",
                hint="restart or change the configuration if that is meant",
            )

    async def _take(self, listing: Listing, named: set[str], publish: Publisher) -> None:
        """Read what changed, and publish what follows from it."""
        files = listing.files
        gone = [path for path in self._seen if path not in files]
        changed = [path for path, now in files.items() if self._has_changed(path, now, named)]
        readings = await self._context.run_blocking(read_files, changed, self._context.name)
        for path in gone:
            for memory in (self._seen, self._bad, self._refusals):
                memory.pop(path, None)
            self._context.log.info("file gone file=%s", path)
        contents: dict[Path, Content] = {}
        for path, reading in readings.items():
            self._seen[path] = files[path]
            self._remember(path, reading)
            if reading.content is not None:
                contents[path] = reading.content
        self._publish(contents, gone, publish)

    def _has_changed(self, path: Path, now: Signature | None, named: set[str]) -> bool:
        bad = self._bad.get(path)
        return (
            path not in self._seen
            or self._seen[path] != now
            or path.name in named
            or (bad is not None and bad.code == Code.UNREADABLE)
        )

    def _remember(self, path: Path, reading: Reading) -> None:
        log = self._context.log
        if reading.content is None:
            if reading.problem is not None:
                if self._bad.get(path) != reading.problem:
                    kept = "its last good content is kept" if path in self._shelf.files else ""
                    log.warning("file refused %s %s", reading.problem, kept)
                self._bad[path] = reading.problem
            return
        if self._bad.pop(path, None) is not None:
            log.info("file good again file=%s", path)
        self._refusals[path] = {
            f"{path.name} {problem.path}": Refusal(
                problem.path,
                "bad_file_entry",
                problem.message,
                Provenance(self._context.name, f"{path.name}:{problem.line}:{problem.column}"),
                problem.hint,
            )
            for problem in reading.problems
        }

    def _publish(
        self, contents: dict[Path, Content], gone: Iterable[Path], publish: Publisher
    ) -> None:
        difference = self._shelf.update(contents, list(gone))
        # A file that was never good is unknown, not empty: then the source has not spoken yet.
        complete = all(path in self._shelf.files for path in self._seen)
        if complete and not self._synced:
            publish.replace(self._shelf.records())
            self._synced = True
        else:
            if difference.drop:
                publish.drop(*difference.drop)
            if difference.put:
                publish.put(*difference.put)
        if difference.put or difference.drop:
            self._context.log.info(
                "records changed put=%d dropped=%d", len(difference.put), len(difference.drop)
            )
        self._tell(publish)

    def _tell(self, publish: Publisher) -> None:
        """Refusals and the state of the files, where they are other than last told."""
        refusals = dict(self._shelf.duplicates)
        for found in self._refusals.values():
            refusals |= found
        for key in self._refused.keys() - refusals.keys():
            publish.refuse(key, None)
        for key, refusal in refusals.items():
            if self._refused.get(key) != refusal:
                publish.refuse(key, refusal)
        self._refused = refusals
        publish.degraded(self._degraded())

    def _degraded(self) -> str | None:
        if not self._bad:
            return None
        first = str(self._bad[min(self._bad)])
        others = len(self._bad) - 1
        return f"{first} (and {counted(others, 'more file')})" if others else first


def _records(content: Content) -> Iterable[Record]:
    for section in content.services.values():
        yield section.spec
        yield from section.backends.values()
    yield from content.routes.values()
