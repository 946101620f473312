"""A fake kernel: the same bytes, the same rules and the same errnos, on a table in memory.

Verified: tests/conformance holds it and a real kernel to one suite. For tests of this plugin and
of whatever uses it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence

import trio

from clusterf.model.table import Connections, DestinationKey, ServiceKey, VirtualService
from clusterf.plugin import OutputUnavailable
from clusterf_ipvs import destination_codec, service_codec
from clusterf_ipvs.constants import Command
from clusterf_ipvs.fake_messages import (
    Refused,
    destination_message,
    identity_of,
    info_message,
    parse_service,
    service_message,
    target_of,
)
from clusterf_ipvs.fake_table import FakeTable
from clusterf_ipvs.kernel import UNKNOWN, Messages, single
from clusterf_ipvs.service_codec import ServiceEncoder

_WRITES = frozenset(
    {
        Command.NEW_SERVICE,
        Command.SET_SERVICE,
        Command.DEL_SERVICE,
        Command.NEW_DEST,
        Command.SET_DEST,
        Command.DEL_DEST,
        Command.FLUSH,
    }
)


class FakeKernel(FakeTable):
    """`Kernel` without a kernel.

    Things to set: those of `FakeTable`, ``privileged``, ``present`` (no: there is no IPVS).
    ``log`` holds every message, `writes` those that edit.
    """

    def __init__(self) -> None:
        super().__init__()
        self.privileged = True
        self.present = True
        self.log: list[bytes] = []
        self.before_dump: Callable[[], None] | None = None
        self.after_write: Callable[[], None] | None = None
        self.torn: list[Callable[[list[bytes]], list[bytes]]] = []
        """Each one changes the answer to one dump, the first to the next."""
        self._failures: dict[int, int] = {}
        self._keyed_failures: dict[tuple[ServiceKey, DestinationKey | None], int] = {}
        self._lost: set[int] = set()
        self._written = 0

    # --- for tests -------------------------------------------------------------------------

    @property
    def table(self) -> dict[ServiceKey, VirtualService]:
        """What the kernel holds, foreign services too, as model values."""
        table: dict[ServiceKey, VirtualService] = {}
        for service in self.services.values():
            key, settings = service_codec.decode(service_message(service))
            if key is not None:
                messages = [destination_message(each) for each in service.destinations]
                destinations, _ = destination_codec.decode_all(messages, key.family)
                table[key] = VirtualService(*settings.settings, destinations)
        return table

    @property
    def writes(self) -> list[bytes]:
        """Messages that edit, in their order."""
        return [message for message in self.log if message[0] in _WRITES]

    def set_table(self, table: Mapping[ServiceKey, VirtualService]) -> None:
        """Let a stranger make the whole table so; leaves no trace in the log."""
        self.services.clear()
        for key, service in table.items():
            encoder = ServiceEncoder(key)
            self.edit(encoder.new_service(*service.settings))
            for target, destination in service.destinations.items():
                self.edit(encoder.new_destination(target, destination))

    def edit(self, message: bytes) -> None:
        """Let a stranger edit something; leaves no trace in the log.

        Raises:
            OSError: the kernel refuses.
        """
        try:
            self.carry_out(message)
        except Refused as refusal:
            raise OSError(refusal.args[0], errno.errorcode[refusal.args[0]]) from None

    def flush(self) -> None:
        """``ipvsadm -C`` by a stranger."""
        self.services.clear()

    def set_connections(
        self, key: ServiceKey, target: DestinationKey, active: int, inactive: int = 0
    ) -> None:
        """Set the counters of a destination."""
        service = self.services[identity_of(key)]
        for destination in service.destinations:
            if (destination.address, destination.port) == (target.address, target.port):
                destination.active, destination.inactive = active, inactive

    def connections(self, key: ServiceKey, target: DestinationKey) -> Connections:
        """Counters of a destination."""
        service = self.services[identity_of(key)]
        messages = [destination_message(each) for each in service.destinations]
        entries = [destination_codec.decode(message, key.family) for message in messages]
        return next(entry.connections for entry in entries if entry.key == target)

    def fail_nth(self, number: int, code: int) -> None:
        """Refuse the n-th write from now (0: the next) with an errno."""
        self._failures[self._written + number] = code

    def fail_on(self, key: ServiceKey, target: DestinationKey | None, code: int) -> None:
        """Refuse every write on one service, or on one destination of it; 0 ends it."""
        self._keyed_failures[key, target] = code
        if not code:
            del self._keyed_failures[key, target]

    def lose_answers(self, *numbers: int) -> None:
        """Carry out the n-th writes from now, and lose the answers to them (ENOBUFS)."""
        self._lost.update(self._written + number for number in numbers)

    # --- Kernel ----------------------------------------------------------------------------

    async def exchange(self, messages: Messages) -> Sequence[int]:
        """See `Kernel.exchange`."""
        await trio.lowlevel.checkpoint()
        self._check_present()
        results = []
        for message in single(messages):
            number, self._written = self._written, self._written + 1
            self.log.append(message)
            try:
                self._check_failure(number, message)
                self.carry_out(message)
            except Refused as refusal:
                result = int(refusal.args[0])
            else:
                result = 0
            results.append(UNKNOWN if number in self._lost else result)
            if self.after_write is not None:
                self.after_write()
        return results

    async def dump(self, message: bytes) -> list[bytes]:
        """See `Kernel.dump`."""
        await trio.lowlevel.checkpoint()
        self._check_readable()
        if self.before_dump is not None:
            self.before_dump()
        self.log.append(message)
        if message[0] == Command.GET_SERVICE:
            answer = [service_message(service) for service in self.services.values()]
        else:
            try:
                service = self.find(message)
            except Refused:
                service = None
            answer = [] if service is None else list(map(destination_message, service.destinations))
        return self.torn.pop(0)(answer) if self.torn else answer

    async def ask(self, message: bytes) -> bytes | int:
        """See `Kernel.ask`."""
        await trio.lowlevel.checkpoint()
        self._check_readable()
        self.log.append(message)
        if message[0] == Command.GET_INFO:
            return info_message(0x010201, 4096)
        try:
            service = self.find(message)
        except Refused as refusal:
            return int(refusal.args[0])
        return errno.ESRCH if service is None else service_message(service)

    async def close(self) -> None:
        """See `Kernel.close`."""
        await trio.lowlevel.checkpoint()

    # --- what goes wrong -------------------------------------------------------------------

    def _check_present(self) -> None:
        if not self.present:
            raise OutputUnavailable("ipvs: the kernel has no IPVS (ENOENT)", hint="modprobe ip_vs")

    def _check_readable(self) -> None:
        self._check_present()
        if not self.privileged:
            raise OutputUnavailable("ipvs: the kernel lets us neither read nor write (EPERM)")

    def _check_failure(self, number: int, message: bytes) -> None:
        if not self.privileged:
            raise Refused(errno.EPERM)
        if number in self._failures:
            raise Refused(self._failures.pop(number))
        for (key, target), code in self._keyed_failures.items():
            about = parse_service(message).identity
            if identity_of(key) == about and target == target_of(message, key):
                raise Refused(code)
