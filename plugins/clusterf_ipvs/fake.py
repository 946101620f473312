"""A fake kernel: the same bytes, the same rules and the same errnos, on a table in memory.

Verified: tests/conformance holds it and a real kernel to one suite. The rules are those of
net/netfilter/ipvs/ip_vs_ctl.c, in its order. For tests of this plugin and of whatever uses it.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Mapping, Sequence
from socket import AF_INET6, ntohs

import trio

from clusterf.model.address import Address, Family
from clusterf.model.table import (
    SCHEDULERS,
    Connections,
    DestinationKey,
    ServiceKey,
    VirtualService,
)
from clusterf.plugin import OutputUnavailable
from clusterf_ipvs import decode
from clusterf_ipvs.constants import (
    GENL_VERSION,
    HASHED,
    INFO_CONN_TAB_SIZE,
    INFO_VERSION,
    MH_PLACES,
    NO_SCHEDULER,
    Command,
    attribute_header,
)
from clusterf_ipvs.encode import ServiceEncoder
from clusterf_ipvs.fake_messages import (
    Identity,
    Refused,
    StoredService,
    destination_message,
    identity_of,
    parse_destination,
    parse_service,
    service_message,
    target_of,
)
from clusterf_ipvs.kernel import UNKNOWN, Messages, single

_TUNNEL = 2
_GUE = 1
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


class FakeKernel:
    """`Kernel` without a kernel.

    Things to set: ``schedulers`` that exist, ``routable`` tells whether a unicast route to an
    IPv4 address exists, ``privileged``, ``sync_daemon`` runs, ``present`` (no: there is no IPVS).
    ``log`` holds every message, `writes` those that edit.
    """

    def __init__(self) -> None:
        self.schedulers: set[str] = {*SCHEDULERS, NO_SCHEDULER}
        self.routable: Callable[[Address], bool] = _unicast
        self.privileged = True
        self.sync_daemon = False
        self.present = True
        self.log: list[bytes] = []
        self.before_dump: Callable[[], None] | None = None
        self.after_write: Callable[[], None] | None = None
        self.torn: list[Callable[[list[bytes]], list[bytes]]] = []
        """Each one changes the answer to one dump, the first to the next."""
        self._services: dict[Identity, StoredService] = {}
        self._failures: dict[int, int] = {}
        self._keyed_failures: dict[tuple[ServiceKey, DestinationKey | None], int] = {}
        self._lost: set[int] = set()
        self._written = 0

    # --- for tests -------------------------------------------------------------------------

    @property
    def table(self) -> dict[ServiceKey, VirtualService]:
        """What the kernel holds, foreign services too, as model values."""
        table: dict[ServiceKey, VirtualService] = {}
        for service in self._services.values():
            key, settings = decode.service(service_message(service))
            if key is not None:
                messages = [destination_message(each) for each in service.destinations]
                destinations, _ = decode.destinations(messages, key.family)
                table[key] = VirtualService(*settings.settings, destinations)
        return table

    @property
    def writes(self) -> list[bytes]:
        """Messages that edit, in their order."""
        return [message for message in self.log if message[0] in _WRITES]

    def set_table(self, table: Mapping[ServiceKey, VirtualService]) -> None:
        """Let a stranger make the whole table so; leaves no trace in the log."""
        self._services.clear()
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
            self._carry_out(message)
        except Refused as refusal:
            raise OSError(refusal.args[0], errno.errorcode[refusal.args[0]]) from None

    def flush(self) -> None:
        """``ipvsadm -C`` by a stranger."""
        self._services.clear()

    def set_connections(
        self, key: ServiceKey, target: DestinationKey, active: int, inactive: int = 0
    ) -> None:
        """Set the counters of a destination."""
        service = self._services[identity_of(key)]
        for destination in service.destinations:
            if (destination.address, ntohs(destination.port)) == (target.address, target.port):
                destination.active, destination.inactive = active, inactive

    def connections(self, key: ServiceKey, target: DestinationKey) -> Connections:
        """Counters of a destination."""
        service = self._services[identity_of(key)]
        messages = [destination_message(each) for each in service.destinations]
        entries = [decode.destination(message, key.family) for message in messages]
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
                self._carry_out(message)
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
        self._check_present()
        if not self.privileged:
            raise OutputUnavailable("ipvs: the kernel lets us neither read nor write (EPERM)")
        if self.before_dump is not None:
            self.before_dump()
        self.log.append(message)
        if message[0] == Command.GET_SERVICE:
            answer = [service_message(service) for service in self._services.values()]
        else:
            try:
                service = self._services.get(parse_service(message).identity)
            except Refused:
                service = None
            answer = [] if service is None else list(map(destination_message, service.destinations))
        return self.torn.pop(0)(answer) if self.torn else answer

    async def ask(self, message: bytes) -> bytes | int:
        """See `Kernel.ask`."""
        await trio.lowlevel.checkpoint()
        self._check_present()
        if not self.privileged:
            raise OutputUnavailable("ipvs: the kernel lets us neither read nor write (EPERM)")
        self.log.append(message)
        if message[0] == Command.GET_INFO:
            return struct.pack(
                "=BBHIIII",
                *(Command.SET_INFO, GENL_VERSION, 0),
                *(attribute_header(4, INFO_VERSION), 0x010201),
                *(attribute_header(4, INFO_CONN_TAB_SIZE), 4096),
            )
        try:
            service = self._services.get(parse_service(message).identity)
        except Refused as refusal:
            return int(refusal.args[0])
        return errno.ESRCH if service is None else service_message(service)

    async def close(self) -> None:
        """See `Kernel.close`."""
        await trio.lowlevel.checkpoint()

    # --- rules -----------------------------------------------------------------------------

    def _check_present(self) -> None:
        if not self.present:
            raise OutputUnavailable("ipvs: the kernel has no IPVS (ENOENT)", hint="modprobe ip_vs")

    def _check_failure(self, number: int, message: bytes) -> None:
        if not self.privileged:
            raise Refused(errno.EPERM)
        if number in self._failures:
            raise Refused(self._failures.pop(number))
        for (key, target), code in self._keyed_failures.items():
            about = parse_service(message).identity
            if identity_of(key) == about and target == target_of(message, key):
                raise Refused(code)

    def _carry_out(self, message: bytes) -> None:
        """ip_vs_genl_set_cmd."""
        command = message[0]
        if command == Command.FLUSH:
            self._services.clear()
            return
        parsed = parse_service(message, full=command in (Command.NEW_SERVICE, Command.SET_SERVICE))
        service = self._services.get(parsed.identity)
        if service is None:
            if command != Command.NEW_SERVICE:
                raise Refused(errno.ESRCH)
            self._check_service(parsed)
            parsed.flags |= HASHED
            self._services[parsed.identity] = parsed
        elif command == Command.NEW_SERVICE:
            raise Refused(errno.EEXIST)
        elif command == Command.SET_SERVICE:
            self._edit_service(service, parsed)
        elif command == Command.DEL_SERVICE:
            del self._services[parsed.identity]
        else:
            self._edit_destinations(command, service, message)

    def _check_service(self, parsed: StoredService) -> None:
        if parsed.scheduler.decode() not in self.schedulers:
            raise Refused(errno.ENOENT)
        if parsed.family == AF_INET6 and not 1 <= struct.unpack("=I", parsed.netmask)[0] <= 128:
            raise Refused(errno.EINVAL)

    def _edit_service(self, service: StoredService, parsed: StoredService) -> None:
        self._check_service(parsed)
        other = parsed.scheduler != service.scheduler
        if other and parsed.scheduler == b"mh" and len(service.destinations) > MH_PLACES:
            # The old scheduler is gone already when the new one refuses.
            service.scheduler = NO_SCHEDULER.encode()
            raise Refused(errno.EINVAL)
        service.scheduler = parsed.scheduler
        service.flags = parsed.flags | HASHED
        service.timeout, service.netmask = parsed.timeout, parsed.netmask

    def _edit_destinations(self, command: int, service: StoredService, message: bytes) -> None:
        full = command != Command.DEL_DEST
        wanted = parse_destination(message, service.family, full=full)
        mixed = full and wanted.family != service.family
        if mixed and (self.sync_daemon or wanted.method != _TUNNEL):
            raise Refused(errno.EINVAL)
        found = next(
            (
                each
                for each in service.destinations
                if (each.family, each.address, each.port)
                == (wanted.family, wanted.address, wanted.port)
            ),
            None,
        )
        if full:
            if wanted.weight >= 1 << 31 or wanted.lower > wanted.upper:
                raise Refused(errno.ERANGE)
            if wanted.tunnel[0] == _GUE and not wanted.tunnel[1]:
                raise Refused(errno.EINVAL)
        if command == Command.NEW_DEST:
            if found is not None:
                raise Refused(errno.EEXIST)
            if not self._reachable(Address(wanted.address)):
                raise Refused(errno.EINVAL)
            service.destinations.insert(0, wanted)
        elif found is None:
            raise Refused(errno.ENOENT)
        elif command == Command.DEL_DEST:
            service.destinations.remove(found)
        else:
            found.method, found.weight = wanted.method, wanted.weight
            found.upper, found.lower, found.tunnel = wanted.upper, wanted.lower, wanted.tunnel

    def _reachable(self, address: Address) -> bool:
        """Only IPv4 needs a route; of IPv6 the kind of address counts (ip_vs_new_dest)."""
        if address.family is Family.INET:
            return _unicast(address) and self.routable(address)
        return _unicast(address)


def _unicast(address: Address) -> bool:
    first = address[0]
    if address.family is Family.INET:
        return 0 < first < 224
    linklocal = first == 0xFE and address[1] & 0xC0 == 0x80
    return first != 0xFF and not linklocal and any(address)
