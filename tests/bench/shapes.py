"""The tables that every loader programs, and the same table in each loader's own input format."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

# sender.c counts up from the same two bases.
_FIRST_VIP: Final = int(ipaddress.IPv4Address("10.0.0.1"))
_FIRST_BACKEND: Final = int(ipaddress.IPv4Address("198.18.0.1"))  # RFC 2544: benchmarks
SERVICE_PORT: Final = 80
DESTINATION_PORT: Final = 8080
SCHEDULER: Final = "wlc"
WEIGHT: Final = 10


@dataclass(frozen=True, slots=True)
class Shape:
    """So many virtual services with so many destinations each; every destination is another host.

    TCP, wlc, masq to another port: the common case of a local director, and the one that puts
    each destination into the kernel's second hash table as well.
    """

    services: int
    destinations: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1000x10`."""
        services, _, destinations = text.partition("x")
        return cls(int(services), int(destinations))

    def __str__(self) -> str:
        return f"{self.services}x{self.destinations}"

    @property
    def entries(self) -> int:
        """Virtual services and destinations: the number of kernel operations of a full load."""
        return self.services * (1 + self.destinations)

    def vip(self, service: int) -> str:
        return str(ipaddress.IPv4Address(_FIRST_VIP + service))

    def backends(self, service: int) -> list[str]:
        first = _FIRST_BACKEND + service * self.destinations
        return [str(ipaddress.IPv4Address(first + n)) for n in range(self.destinations)]


def ipvsadm_rules(shape: Shape) -> Iterator[str]:
    """Lines for `ipvsadm -R`, as `ipvsadm -S -n` writes them."""
    for service in range(shape.services):
        vip = f"{shape.vip(service)}:{SERVICE_PORT}"
        yield f"-A -t {vip} -s {SCHEDULER}\n"
        for address in shape.backends(service):
            yield f"-a -t {vip} -r {address}:{DESTINATION_PORT} -m -w {WEIGHT}\n"


def _head(shape: Shape, service: int) -> str:
    vip = f'{{ ipv4 = "{shape.vip(service)}", tcp = {SERVICE_PORT} }}'
    return f"[services.s{service}]\nfrontend = {vip}\n"


def toml_of_strings(shape: Shape) -> Iterator[str]:
    """A file of a static source; the backends of a service are one array of strings."""
    for service in range(shape.services):
        yield _head(shape, service)
        backends = (f'"{address}:{DESTINATION_PORT}"' for address in shape.backends(service))
        yield f"backends = [{', '.join(backends)}]\n\n"


def toml_of_tables(shape: Shape) -> Iterator[str]:
    """The same, each backend an inline table with a weight."""
    for service in range(shape.services):
        yield _head(shape, service)
        yield "backends = [\n"
        for address in shape.backends(service):
            yield f'  {{ address = "{address}", port = {DESTINATION_PORT}, weight = {WEIGHT} }},\n'
        yield "]\n\n"


def toml_of_text(shape: Shape) -> Iterator[str]:
    """The same, the backends of a service in one text of several lines, to be split later."""
    for service in range(shape.services):
        yield _head(shape, service)
        yield 'backends = """\n'
        for address in shape.backends(service):
            yield f"{address}:{DESTINATION_PORT}\n"
        yield '"""\n\n'


def json_text(shape: Shape) -> Iterator[str]:
    """The table of strings in JSON."""
    services = {
        f"s{service}": {
            "frontend": {"ipv4": shape.vip(service), "tcp": SERVICE_PORT},
            "backends": [f"{address}:{DESTINATION_PORT}" for address in shape.backends(service)],
        }
        for service in range(shape.services)
    }
    yield json.dumps({"services": services})
