"""The table of the fake kernel and its rules: which edit is taken and which errno answers it.

The rules are those of net/netfilter/ipvs/ip_vs_ctl.c, in its order.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from socket import AF_INET6

from clusterf.model.address import Address, Family
from clusterf.model.table import SCHEDULERS
from clusterf_ipvs.constants import MH_PLACES, NO_SCHEDULER, Command
from clusterf_ipvs.fake_messages import (
    Identity,
    Refused,
    StoredDestination,
    StoredService,
    parse_destination,
    parse_service,
)
from clusterf_ipvs.words import HASHED

_TUNNEL = 2
_GUE = 1


class FakeTable:
    """Virtual services with their destinations, as the kernel stores them.

    Things to set: ``schedulers`` that exist, ``routable`` tells whether a unicast route to an
    IPv4 address exists, ``sync_daemon`` runs.
    """

    def __init__(self) -> None:
        self.schedulers: set[str] = {*SCHEDULERS, NO_SCHEDULER}
        self.routable: Callable[[Address], bool] = _unicast
        self.sync_daemon = False
        self.services: dict[Identity, StoredService] = {}

    def carry_out(self, message: bytes) -> None:
        """ip_vs_genl_set_cmd.

        Raises:
            Refused: with an errno.
        """
        command = message[0]
        if command == Command.FLUSH:
            self.services.clear()
            return
        parsed = parse_service(message, full=command in (Command.NEW_SERVICE, Command.SET_SERVICE))
        service = self.services.get(parsed.identity)
        if service is None:
            if command != Command.NEW_SERVICE:
                raise Refused(errno.ESRCH)
            self._check_service(parsed)
            parsed.flags |= HASHED
            self.services[parsed.identity] = parsed
        elif command == Command.NEW_SERVICE:
            raise Refused(errno.EEXIST)
        elif command == Command.SET_SERVICE:
            self._edit_service(service, parsed)
        elif command == Command.DEL_SERVICE:
            del self.services[parsed.identity]
        else:
            self._edit_destinations(command, service, message)

    def find(self, message: bytes) -> StoredService | None:
        """The virtual service that a message is about.

        Raises:
            Refused: it is about none.
        """
        return self.services.get(parse_service(message).identity)

    def _check_service(self, parsed: StoredService) -> None:
        if parsed.scheduler.decode(errors="replace") not in self.schedulers:
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
        if full:
            self._check_destination(service, wanted)
        found = next(
            (each for each in service.destinations if each.identity == wanted.identity), None
        )
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

    def _check_destination(self, service: StoredService, wanted: StoredDestination) -> None:
        mixed = wanted.family != service.family
        if mixed and (self.sync_daemon or wanted.method != _TUNNEL):
            raise Refused(errno.EINVAL)
        if wanted.weight >= 1 << 31 or wanted.lower > wanted.upper:
            raise Refused(errno.ERANGE)
        if wanted.tunnel[0] == _GUE and not wanted.tunnel[1]:
            raise Refused(errno.EINVAL)

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
