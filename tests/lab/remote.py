"""Runs tests marked ``lab`` where there is an IPVS kernel, and reports them as if it were here.

Where the host has none, one guest is booted at the first such test. A second pytest in it collects
the same files and runs one item each time this one reaches it; its reports are this one's reports.
So order, ``-x``, ``-k`` and single node ids work as they always do. ``-s`` and ``--pdb`` do not
reach into the guest.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.lab import choice, scratch
from tests.lab.process import LabError
from tests.lab.uml import UmlKernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.process import Running

HOST_SIDE = frozenset(
    {"director", "docker_engine", "lab_network", "cluster_network", "debian_kernel"}
)
"""A test with one of these fixtures stays outside: it needs the host's namespaces and Docker."""

_COLLECT_TIMEOUT = 120.0
_GRACE = 60.0
_MEMORY = int(os.environ.get("CLUSTERF_LAB_MEMORY", "1024"))


class GuestSession:
    """A guest with a pytest in it that waits for commands."""

    def __init__(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        self._config = config
        self._kernel = UmlKernel(memory=_MEMORY)
        self._line = 0
        self._busy = False
        self.uncollected = ""
        try:
            self._pytest = self._start(items)
            self.collected = self._await_collection()
        except BaseException:
            self._kernel.close()
            raise

    def run(
        self, item: pytest.Item, following: str | None, timeout: float
    ) -> Iterator[pytest.TestReport]:
        """The reports of one item, each as soon as it exists."""
        self._busy = True
        self._pytest.send(json.dumps({"run": item.nodeid, "next": following}) + "\n")
        while True:
            message = self._next(timeout)
            if "finished" in message:
                self._busy = False
                return
            if "report" in message:
                yield self._replay(message["report"])

    def close(self) -> None:
        # The end of its input lets it write what it collects on the way out (coverage). One that
        # is still at a test, because this run was interrupted, would not read it.
        with contextlib.suppress(LabError, TimeoutError):
            if not self._busy and self._kernel.alive:
                self._pytest.close_input()
                self._pytest.wait(30)
        self._kernel.close()

    def _replay(self, data: dict[str, Any]) -> pytest.TestReport:
        # JSON knows no tuples, and pytest tells a skip's reason by being one.
        for key in ("longrepr", "location"):
            if isinstance(data[key], list):
                data[key] = tuple(data[key])
        hook = self._config.hook
        report: pytest.TestReport = hook.pytest_report_from_serializable(
            config=self._config, data=data
        )
        return report

    def _start(self, items: list[pytest.Item]) -> Running:
        files = dict.fromkeys(item.nodeid.partition("::")[0] for item in items)
        return self._kernel.spawn(
            self._kernel.python(*_coverage(), "-m", "tests.lab.inside", *self._options(), *files),
            cwd=self._config.rootpath,
            env={"COLUMNS": "100"},
        )

    def _options(self) -> list[str]:
        """Those of our options that change what a test does or how its failure is shown."""
        option = self._config.option
        options = ["-p", "no:cacheprovider", "--tb", option.tbstyle]
        options += ["-l"] if option.showlocals else []
        options += ["-v"] * option.verbose
        options += ["--runxfail"] if option.runxfail else []
        plugins = self._config.pluginmanager
        if plugins.hasplugin("randomly"):
            seed = self._config.getoption("randomly_seed")
            options += [f"--randomly-seed={seed}", "--randomly-dont-reorganize"]
        else:
            options += ["-p", "no:randomly"]
        if timeout := self._config.getoption("timeout", None):
            options += [f"--timeout={timeout}"]
        return options

    def _await_collection(self) -> frozenset[str]:
        while True:
            message = self._next(_COLLECT_TIMEOUT)
            if "uncollected" in message:
                self.uncollected += message["uncollected"] + "\n"
            if "collected" in message:
                return frozenset(message["collected"])

    def _next(self, timeout: float) -> dict[str, Any]:
        line = self._pytest.line(self._line, timeout)
        if line is None:
            # pytest ends before its loop when a file cannot be imported, or its options are bad.
            raise EOFError(
                f"the pytest in {self._kernel.description} ended with {self._pytest.poll()}\n"
                f"{self.uncollected}{self._pytest.errors()[-8000:]}\n"
                f"console of the guest:\n{self._kernel.console()}"
            )
        self._line += 1
        message: dict[str, Any] = json.loads(line)
        return message


class RemoteRunner:
    """The plugin of the pytest outside."""

    def __init__(self) -> None:
        self._items: dict[str, pytest.Item] = {}
        self._following: dict[str, str | None] = {}
        self._guest: GuestSession | None = None
        self._broken: str | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            # In this order: a run without such tests does not look for kernels and load modules.
            if belongs_inside(item) and choice.choose().kind == "uml":
                self._items[item.nodeid] = item

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # Plugins that reorder or deselect have all had their turn by now.
        inside = [item.nodeid for item in session.items if item.nodeid in self._items]
        self._items = {nodeid: self._items[nodeid] for nodeid in inside}
        self._following = dict(itertools.zip_longest(inside, inside[1:]))

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> list[str]:
        marked = sum(1 for item in items if item.get_closest_marker("lab"))
        if not marked:
            return []
        chosen = choice.choose()
        where = {"uml": "user-mode Linux", "host": "this kernel", "none": "nowhere"}
        return [f"lab: {marked} tests in {where[chosen.kind]} ({chosen.reason})"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.get_closest_marker("lab") and choice.choose().kind == "none":
            impossible(choice.choose().reason)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        if item.nodeid not in self._items:
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item):
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        # What ran here before may have left its module set up for an item that ran there.
        item.session._setupstate.teardown_exact(nextitem)
        return True

    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """Keep pytest-timeout's hands off items whose time runs in the guest."""
        return True if item.nodeid in self._items else None

    def pytest_sessionfinish(self) -> None:
        if self._guest is not None:
            self._guest.close()

    def _reports(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        try:
            if self._broken is None and self._guest is None:
                scratch.sweep()
                self._guest = GuestSession(item.config, list(self._items.values()))
            if self._guest is not None and item.nodeid not in self._guest.collected:
                yield _error(item, f"not collected in the guest\n{self._guest.uncollected}")
                return
            if self._broken is None and self._guest is not None:
                following = self._following[item.nodeid]
                yield from self._guest.run(item, following, _patience(item))
                return
        except Exception as error:  # noqa: BLE001 # whatever it is, it is this item's result
            self._broken = f"{type(error).__name__}: {error}"
        yield _error(item, f"the lab's guest is lost\n{self._broken}")


def impossible(reason: str) -> NoReturn:
    """Skip the test that runs, or fail it where the lab was promised: in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def belongs_inside(item: pytest.Item) -> bool:
    """Whether an item needs an IPVS kernel and nothing of the host around it."""
    if item.get_closest_marker("lab") is None:
        return False
    return HOST_SIDE.isdisjoint(getattr(item, "fixturenames", ()))


def _patience(item: pytest.Item) -> float:
    """How long one report may take: the item's own timeout, then the guest is given up."""
    marker = item.get_closest_marker("timeout")
    configured: Any = item.config.getini("timeout") or 60
    if marker is not None:
        configured = marker.args[0] if marker.args else marker.kwargs.get("timeout", configured)
    return (float(configured) or 3600) + _GRACE


def _error(item: pytest.Item, message: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="failed",
        longrepr=message,
        when="setup",
    )


def _coverage() -> list[str]:
    """Measure in the guest too when this run is measured."""
    try:
        from coverage import Coverage  # noqa: PLC0415 # only where it is installed
    except ImportError:
        return []
    if Coverage.current() is None:
        return []
    return ["-m", "coverage", "run", "--parallel-mode"]
