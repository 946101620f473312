"""Observe: the managed part of the kernel's table, read so that a torn dump deceives nobody.

A dump is no snapshot. When somebody deletes entries meanwhile, living ones are missing from it;
when somebody adds, some come twice; and IPVS never says so (no NLM_F_DUMP_INTR). So what differs
from what is believed is looked at again, and counts only when two looks agree. Only at the start,
when nothing is believed, one look is enough.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from clusterf.model.scope import Scope
from clusterf.model.table import (
    Connections,
    Destination,
    DestinationKey,
    ServiceKey,
    VirtualService,
)
from clusterf.plugin import OutputUnavailable
from clusterf_ipvs import destination_codec, service_codec
from clusterf_ipvs.attributes import DecodeError
from clusterf_ipvs.kernel import Kernel
from clusterf_ipvs.service_codec import GET_INFO, LIST_SERVICES, Info, ServiceEncoder

_FEW = 64
"""Up to so many virtual services are asked for one by one; more come with a dump of all."""

_LOOKS = 4
"""Looks at one thing before giving up on two that agree."""

Destinations = dict[DestinationKey, Destination]
Counters = dict[DestinationKey, Connections]


@dataclass(slots=True)
class Seen:
    """What a look showed. ``quiesced``: counters of the destinations of weight 0."""

    services: dict[ServiceKey, VirtualService] = field(default_factory=dict)
    quiesced: dict[ServiceKey, Counters] = field(default_factory=dict)


class Observer:
    """Looks at the kernel; believes and remembers nothing itself."""

    def __init__(self, kernel: Kernel, scope: Scope) -> None:
        self._kernel = kernel
        self._scope = scope

    async def everything(self, believed: Mapping[ServiceKey, VirtualService] | None) -> Seen:
        """All that is managed. ``believed`` is None when nothing is known yet."""
        listed = await self._services()
        if believed is not None and _settings(listed) != _settings(believed):
            listed = await self._agreed(listed)
        return await self._with_destinations(listed, believed)

    async def these(
        self, subjects: Collection[ServiceKey], believed: Mapping[ServiceKey, VirtualService]
    ) -> Seen:
        """Some virtual services; those that are not in the kernel are not in the result."""
        wanted = [key for key in subjects if self._scope.owns(key)]
        if len(wanted) > _FEW:
            listed = await self._services()
            expected = {key: believed[key] for key in wanted if key in believed}
            found = {key: listed[key] for key in wanted if key in listed}
            if _settings(found) != _settings(expected):
                listed = await self._agreed(listed)
                found = {key: listed[key] for key in wanted if key in listed}
        else:
            # One service is read under the kernel's lock: no tearing.
            found = {}
            for key in wanted:
                service = await self._service(key)
                if service is not None:
                    found[key] = service
        return await self._with_destinations(found, believed)

    async def listed(self) -> Collection[ServiceKey]:
        """Managed virtual services, in one dump and without their destinations."""
        return (await self._services()).keys()

    async def connections(
        self, keys: Collection[ServiceKey]
    ) -> dict[tuple[ServiceKey, DestinationKey], Connections]:
        """Counters of all destinations of these virtual services."""
        counters: dict[tuple[ServiceKey, DestinationKey], Connections] = {}
        for key in keys:
            for message in await self._kernel.dump(ServiceEncoder(key).list_destinations()):
                entry = _decoded_destination(message, key)
                counters[key, entry.key] = entry.connections
        return counters

    async def info(self) -> Info:
        """Version and size of the connection table."""
        answer = await self._kernel.ask(GET_INFO)
        if isinstance(answer, int):
            raise _nonsense(f"it refuses to tell its version ({errno.errorcode.get(answer)})")
        try:
            return service_codec.decode_info(answer)
        except DecodeError as error:
            raise _nonsense(str(error)) from error

    async def _services(self) -> dict[ServiceKey, VirtualService]:
        found: dict[ServiceKey, VirtualService] = {}
        owns = self._scope.owns
        for message in await self._kernel.dump(LIST_SERVICES):
            key, service = _decoded_service(message)
            if key is not None and owns(key):
                found[key] = service
        return found

    async def _agreed(
        self, before: dict[ServiceKey, VirtualService]
    ) -> dict[ServiceKey, VirtualService]:
        """Dump until two in a row agree; what still flickers is asked for one by one."""
        now = before
        for _ in range(_LOOKS - 1):
            before, now = now, await self._services()
            if now == before:
                return now
        agreed: dict[ServiceKey, VirtualService] = {}
        for key in {**before, **now}:
            if before.get(key) == now.get(key):
                agreed[key] = now[key]
            elif (service := await self._service(key)) is not None:
                agreed[key] = service
        return agreed

    async def _service(self, key: ServiceKey) -> VirtualService | None:
        answer = await self._kernel.ask(ServiceEncoder(key).get_service())
        if isinstance(answer, bytes):
            return _decoded_service(answer)[1]
        if answer == errno.ESRCH:
            return None
        raise _nonsense(f"it refuses to tell of {key} ({errno.errorcode.get(answer, answer)})")

    async def _with_destinations(
        self,
        listed: Mapping[ServiceKey, VirtualService],
        believed: Mapping[ServiceKey, VirtualService] | None,
    ) -> Seen:
        seen = Seen()
        for key, service in listed.items():
            known = believed.get(key) if believed is not None else None
            request = ServiceEncoder(key).list_destinations()
            found, quiesced = await self._destinations(request, key)
            if known is not None and found == known.destinations:
                # Keep the very object: it may be the desired one.
                same = known.settings == service.settings
                seen.services[key] = (
                    known if same else replace(service, destinations=known.destinations)
                )
            else:
                if believed is not None:
                    again = await self._agreed_destinations(request, key, found, quiesced)
                    if again is None:
                        continue
                    found, quiesced = again
                seen.services[key] = replace(service, destinations=found)
            if quiesced:
                seen.quiesced[key] = quiesced
        return seen

    async def _agreed_destinations(
        self, request: bytes, key: ServiceKey, before: Destinations, quiesced: Counters
    ) -> tuple[Destinations, Counters] | None:
        """Dump until two in a row agree; None when the service is gone."""
        for _ in range(_LOOKS):
            now, quiesced = await self._destinations(request, key)
            if now == before:
                break
            before = now
        if not before and await self._service(key) is None:
            # The dump of a service that does not exist is empty, and no error.
            return None
        return before, quiesced

    async def _destinations(self, request: bytes, key: ServiceKey) -> tuple[Destinations, Counters]:
        try:
            return destination_codec.decode_all(await self._kernel.dump(request), key.family)
        except DecodeError as error:
            raise _nonsense(str(error)) from error


def _settings(
    services: Mapping[ServiceKey, VirtualService],
) -> dict[ServiceKey, tuple[object, ...]]:
    return {key: service.settings for key, service in services.items()}


def _decoded_service(message: bytes) -> tuple[ServiceKey | None, VirtualService]:
    try:
        return service_codec.decode(message)
    except DecodeError as error:
        raise _nonsense(str(error)) from error


def _decoded_destination(message: bytes, key: ServiceKey) -> destination_codec.Entry:
    try:
        return destination_codec.decode(message, key.family)
    except DecodeError as error:
        raise _nonsense(str(error)) from error


def _nonsense(what: str) -> OutputUnavailable:
    return OutputUnavailable(f"ipvs: the kernel's answer makes no sense: {what}")
