"""The kernel under test: the fake one always, a real one in the lab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from clusterf.model.address import Address, Family
from clusterf.model.table import (
    AddressKey,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    Protocol,
    ServiceKey,
    VirtualService,
)
from clusterf_ipvs import destination_codec, service_codec
from clusterf_ipvs.attributes import contents, enclose, outermost
from clusterf_ipvs.fake import FakeKernel
from clusterf_ipvs.kernel import Kernel
from clusterf_ipvs.netlink import NetlinkKernel
from clusterf_ipvs.service_codec import LIST_SERVICES, ServiceEncoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from tests.lab.network import Namespace

WEB = AddressKey(Protocol.TCP, Address.parse("192.0.2.80"), 80)
WEB6 = AddressKey(Protocol.TCP, Address.parse("2001:db8::80"), 80)
MARK = FwmarkKey(Family.INET, 7)
MARK6 = FwmarkKey(Family.INET6, 7)
ONE = DestinationKey(Address.parse("198.51.100.1"), 8080)
TWO = DestinationKey(Address.parse("198.51.100.2"), 8080)
ONE6 = DestinationKey(Address.parse("2001:db8:1::1"), 8080)
PLAIN = Destination(10, Method.MASQ)
NOTHING: frozenset[str] = frozenset()


def exchanged(message: bytes, nest: int, kind: int, content: bytes) -> bytes:
    """The message with another content of one of the attributes in a nest."""
    nests = outermost(message)
    row = contents(nests[nest]) | {kind: content}
    nests[nest] = b"".join(enclose(*each) for each in row.items())
    return message[:4] + b"".join(enclose(*each) for each in nests.items())


@dataclass
class World:
    """A kernel and short words for what the tests do with it."""

    kernel: Kernel
    real: bool

    async def do(self, *messages: bytes) -> Sequence[int]:
        return await self.kernel.exchange(messages)

    async def add(
        self,
        key: ServiceKey,
        scheduler: str = "wlc",
        flags: Iterable[str] = (),
        persistence: Persistence | None = None,
    ) -> int:
        settings = (scheduler, frozenset(flags), persistence)
        return (await self.do(ServiceEncoder(key).new_service(*settings)))[0]

    async def edit(self, key: ServiceKey, scheduler: str = "wlc", flags: Iterable[str] = ()) -> int:
        settings = (scheduler, frozenset(flags), None)
        return (await self.do(ServiceEncoder(key).set_service(*settings)))[0]

    async def delete(self, key: ServiceKey) -> int:
        return (await self.do(ServiceEncoder(key).del_service()))[0]

    async def add_to(
        self, key: ServiceKey, target: DestinationKey, settings: Destination = PLAIN
    ) -> int:
        return (await self.do(ServiceEncoder(key).new_destination(target, settings)))[0]

    async def edit_in(
        self, key: ServiceKey, target: DestinationKey, settings: Destination = PLAIN
    ) -> int:
        return (await self.do(ServiceEncoder(key).set_destination(target, settings)))[0]

    async def delete_from(self, key: ServiceKey, target: DestinationKey) -> int:
        return (await self.do(ServiceEncoder(key).del_destination(target)))[0]

    async def services(self) -> dict[ServiceKey | None, VirtualService]:
        messages = await self.kernel.dump(LIST_SERVICES)
        return dict(service_codec.decode(message) for message in messages)

    async def destinations(self, key: ServiceKey) -> dict[DestinationKey, Destination]:
        """In the kernel's order."""
        messages = await self.kernel.dump(ServiceEncoder(key).list_destinations())
        return destination_codec.decode_all(messages, key.family)[0]


def connect(netns: Namespace) -> None:
    """Give a namespace routes: without one to it an IPv4 destination is refused."""
    netns.ip(
        "link add uplink type dummy",
        "link set uplink up",
        "address add 192.0.2.1/24 dev uplink",
        "route add default dev uplink",
    )


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which kernel; prepares the real one, once for all examples of a law."""
    if request.param == "real":
        connect(request.getfixturevalue("netns"))
    return str(request.param)


@pytest.fixture
async def world(kind: str) -> AsyncIterator[World]:
    kernel = FakeKernel() if kind == "fake" else NetlinkKernel()
    yield World(kernel, real=kind == "real")
    await kernel.close()
