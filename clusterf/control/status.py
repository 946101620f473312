"""What ``clusterf status`` shows: a picture of the engine as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from clusterf import __version__
from clusterf.config.configuration import Instance
from clusterf.control.protocol import JSON
from clusterf.engine.engine import Engine
from clusterf.engine.supervisor import Health
from clusterf.model.errors import OutputUnavailable
from clusterf.model.provenance import Refusal
from clusterf.model.table import (
    AddressKey,
    Connections,
    Destination,
    DestinationKey,
    FwmarkKey,
    ServiceKey,
    VirtualService,
)
from clusterf.plugin.api import OutputType
from clusterf.plugin.output import DataPlane

Counters = Mapping[tuple[ServiceKey, DestinationKey], Connections]


async def picture(engine: Engine, *, service: str | None = None) -> JSON:
    """The whole state, or that of one service. Counters are fresh from the kernel."""
    counters: dict[tuple[ServiceKey, DestinationKey], Connections] = {}
    draining: dict[tuple[ServiceKey, DestinationKey], str] = {}
    observed: dict[ServiceKey, VirtualService] = {}
    failing: dict[ServiceKey, str] = {}
    has_plane = False
    for runner in engine.runners():
        draining.update(runner.output.report().draining)
        for key, one in runner.failing.items():
            if isinstance(key, (AddressKey, FwmarkKey)):
                failing[key] = one.error
        if isinstance(runner.output, DataPlane):
            has_plane = True
            observed.update(runner.output.observed())
            try:
                counters.update(await runner.output.connections())
            except OutputUnavailable:
                # Told below as the output's own health; the rest of the picture stands.
                continue
    lookup = _Lookup(engine, observed if has_plane else None, counters, draining, failing)
    names = {engine.reconciler.service_of(key) or "" for key in engine.reconciler.table}
    names |= engine.reconciler.refusals.keys() | engine.reconciler.failures.keys()
    if service is not None:
        names &= {service}
    leaving = [key for key in observed if key not in engine.reconciler.table]
    return {
        "version": __version__,
        "uptime": round(trio.current_time() - engine.started_at, 3),
        "configuration": str(engine.configuration.path),
        "hold": engine.desired.hold,
        "tabled": engine.reconciler.tabled,
        "sources": [_source(engine, name) for name in engine.sources],
        "outputs": [
            _output(engine, instance.name)
            if instance.name in engine.outputs
            else _waiting(instance)
            for instance in engine.configuration.outputs.values()
        ],
        "services": [lookup.service(name) for name in sorted(names)],
        "leaving": [lookup.entry(key) for key in leaving] if service is None else [],
        "refusals": _source_refusals(engine),
        "drained": [
            {"service": order.service, "backend": order.backend, "reason": reason}
            for order, reason in engine.reconciler.drained.items()
        ],
    }


class _Lookup:
    """Everything that the rows of the table are made from."""

    def __init__(
        self,
        engine: Engine,
        observed: Mapping[ServiceKey, VirtualService] | None,
        counters: Counters,
        draining: Mapping[tuple[ServiceKey, DestinationKey], str],
        failing: Mapping[ServiceKey, str],
    ) -> None:
        self.engine = engine
        self.observed = observed
        self.counters = counters
        self.draining = draining
        self.failing = failing

    def service(self, name: str) -> JSON:
        """One service with its entries and refusals."""
        reconciler = self.engine.reconciler
        failure = reconciler.failures.get(name)
        return {
            "name": name,
            "entries": [self.entry(key) for key in reconciler.entries_of(name)],
            "refusals": [refusal_json(one) for one in reconciler.refusals.get(name, ())],
            "failure": None if failure is None else str(failure),
        }

    def entry(self, key: ServiceKey) -> JSON:
        """One virtual service: what is wanted beside what the kernel has."""
        want = self.engine.reconciler.table.get(key)
        have = None if self.observed is None else self.observed.get(key)
        shown = want or have
        if shown is None:
            return {"key": str(key)}
        wanted = want.destinations if want is not None else {}
        existing = have.destinations if have is not None else {}
        targets = [*wanted, *(target for target in existing if target not in wanted)]
        state, reason = self._entry_state(key, want, have)
        return {
            "key": str(key),
            "protocol": key.protocol.upper() if isinstance(key, AddressKey) else "FWM",
            "address": str(key.mark) if isinstance(key, FwmarkKey) else str(key).split(" ")[1],
            "scheduler": shown.scheduler,
            "flags": sorted(shown.flags),
            "persistence": None if shown.persistence is None else shown.persistence._asdict(),
            "state": state,
            "reason": reason,
            "destinations": [
                self._destination(key, target, wanted.get(target), existing.get(target))
                for target in targets
            ],
        }

    def _entry_state(
        self, key: ServiceKey, want: VirtualService | None, have: VirtualService | None
    ) -> tuple[str, str]:
        if key in self.failing:
            return "failing", self.failing[key]
        if want is None:
            return "leaving", self._held(key) or "no service claims it any more"
        if self.observed is not None and have is None:
            return "missing", "not in the kernel yet"
        if have is not None and have.settings != want.settings:
            return "differs", "the kernel's settings differ"
        return ("serving", "") if want.serves else ("empty", "no destination takes connections")

    def _destination(
        self,
        key: ServiceKey,
        target: DestinationKey,
        want: Destination | None,
        have: Destination | None,
    ) -> JSON:
        shown = have or want
        if shown is None:  # pragma: no cover - targets come from the two mappings
            return {}
        connections = self.counters.get((key, target))
        state, reason = self._state(key, target, want, have)
        return {
            "address": str(target),
            "method": str(shown.method),
            "weight": shown.weight,
            "active": None if connections is None else connections.active,
            "inactive": None if connections is None else connections.inactive,
            "state": state,
            "reason": reason,
            "from": str((want.because if want is not None else None) or ""),
        }

    def _state(
        self,
        key: ServiceKey,
        target: DestinationKey,
        want: Destination | None,
        have: Destination | None,
    ) -> tuple[str, str]:
        if want is None:
            held = self._held(key)
            if held is not None:
                return "held", f"would be removed, but {held}"
            return "draining", self.draining.get((key, target), "left the service")
        if have is None and self.observed is not None:
            return "missing", self.failing.get(key, "not in the kernel yet")
        if have is not None and have != want:
            return "differs", self.failing.get(key, "differs from what is wanted")
        if want.weight == 0:
            return "quiesced", str(want.because or "weight 0")
        return "serving", ""

    def _held(self, key: ServiceKey) -> str | None:
        for runner in self.engine.runners():
            if key in runner.held:
                return runner.held[key]
        return None


def _source(engine: Engine, name: str) -> JSON:
    task = engine.sources[name]
    slot = engine.board.slots[name]
    return {
        "name": name,
        "type": task.instance.type.name,
        **_health(task.health),
        "spoken": slot.synced,
        "degraded": slot.degraded,
        "services": len(slot.services),
        "backends": sum(len(holding.backends) for holding in slot.services.values()),
        "routes": len(slot.routes),
    }


def _output(engine: Engine, name: str) -> JSON:
    task = engine.outputs[name]
    report = task.runner.output.report()
    return {
        "name": name,
        "type": task.instance.type.name,
        **_health(task.health),
        "detail": report.detail,
        "problems": list(report.problems),
        "failing": [
            {"entry": None if key is None else str(key), "error": one.error, "hint": one.hint}
            for key, one in task.runner.failing.items()
        ],
        "held": len(task.runner.held),
        "looks": task.runner.looks,
        "done": engine.journal.done.get(name, 0),
        "failed": engine.journal.failed.get(name, 0),
    }


def _waiting(instance: Instance[OutputType[Any]]) -> JSON:
    """An output before the first pass: it starts when the table is made."""
    health = Health(reason="waits for the sources to speak, start_wait at most")
    return {
        "name": instance.name,
        "type": instance.type.name,
        **_health(health),
        "detail": "",
        "problems": [],
        "failing": [],
        "held": 0,
        "looks": 0,
        "done": 0,
        "failed": 0,
    }


def _health(health: Health) -> dict[str, Any]:
    now = trio.current_time()
    return {
        "state": str(health.state),
        "reason": health.reason,
        "hint": health.hint,
        "bug": health.bug,
        "for": round(now - health.since, 3) if health.since else None,
        "retry_in": None if health.retry_at is None else round(max(0, health.retry_at - now), 3),
    }


def refusal_json(refusal: Refusal) -> JSON:
    """A refusal as JSON values."""
    return {
        "subject": refusal.subject,
        "reason": refusal.reason,
        "detail": refusal.detail,
        "hint": refusal.hint,
        "provenance": None if refusal.provenance is None else str(refusal.provenance),
    }


def _source_refusals(engine: Engine) -> list[JSON]:
    return [
        refusal_json(refusal)
        for slot in engine.board.slots.values()
        for refusal in slot.refusals.values()
    ]
