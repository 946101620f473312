"""Network namespaces and the cables between them, all removed together.

Everything is made with ip(8), works on the host and inside a guest, and needs root. Addresses come
from the documentation ranges (RFC 5737, RFC 3849) only: they lead nowhere by mistake.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.lab import process, scratch
from tests.lab.process import CommandFailedError, LocalProcess

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.lab.process import Argv, Completed, Environment, Running


FORWARDING = {
    "ipv4__ip_forward": 1,
    "ipv6__conf__all__forwarding": 1,
    "ipv4__conf__all__rp_filter": 0,
    "ipv4__conf__default__rp_filter": 0,
}
"""Sysctls of a router, for both families, that does not check where packets come from."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A named network namespace of the kernel that this code runs on."""

    name: str

    @property
    def path(self) -> str:
        return str(scratch.NAMESPACES / self.name)

    def command(self, argv: Argv) -> tuple[str, ...]:
        """``argv`` so that it runs in here.

        nsenter and not ``ip netns exec``: that one mounts a /sys without cgroups over the real one.
        """
        return ("nsenter", f"--net={self.path}", "--", *process.words(argv))

    def run(
        self, argv: Argv, *, text: str = "", timeout: float = 30, check: bool = True
    ) -> Completed:
        return process.run(self.command(argv), text=text, timeout=timeout, check=check)

    def spawn(self, argv: Argv, *, env: Environment | None = None) -> Running:
        """Start a program in here; it must be stopped before the namespace is removed."""
        return LocalProcess(self.command(argv), env=env, cwd=scratch.ROOT)

    def ip(self, *commands: str) -> str:
        """Run ip(8) commands in one batch; the first failure ends it."""
        batch = "\n".join(commands) + "\n"
        return process.run(["ip", "-n", self.name, "-batch", "-"], text=batch).stdout

    def sysctl(self, **settings: int | str) -> None:
        """Set ``net`` sysctls; write a double underscore for the dot: ``ipv4__ip_forward=1``."""
        script = "".join(
            f"echo {value} > /proc/sys/net/{key.replace('__', '/')}\n"
            for key, value in settings.items()
        )
        self.run(["sh", "-e"], text=script)

    def forward(self) -> None:
        """Make it a router."""
        self.sysctl(**FORWARDING)


@dataclass(frozen=True, slots=True)
class Bridge:
    """A switch: an Ethernet segment that lives in ``namespace``."""

    namespace: Namespace
    name: str


class Networks:
    """Makes namespaces and removes them, with every interface in them, at the end."""

    def __init__(self) -> None:
        self._namespaces: list[Namespace] = []
        self._running: list[Running] = []
        self._ports = 0

    def namespace(self, label: str, *, forward: bool = False) -> Namespace:
        """A new namespace with loopback up and IPv6 addresses usable at once."""
        namespace = Namespace(scratch.name(label))
        process.run(["ip", "netns", "add", namespace.name])
        self._namespaces.append(namespace)
        namespace.sysctl(
            # Duplicate address detection would keep each new address unusable for a second.
            ipv6__conf__all__accept_dad=0,
            ipv6__conf__default__accept_dad=0,
            ipv6__conf__default__accept_ra=0,
        )
        namespace.ip("link set lo up")
        if forward:
            namespace.forward()
        return namespace

    def bridge(self, namespace: Namespace, name: str) -> Bridge:
        namespace.ip(f"link add {name} type bridge forward_delay 0", f"link set {name} up")
        return Bridge(namespace, name)

    def plug(
        self,
        namespace: Namespace,
        interface: str,
        bridge: Bridge,
        addresses: Iterable[str] = (),
        *,
        mac: str | None = None,
    ) -> None:
        """Connect ``namespace`` to ``bridge`` by a new interface with these ``a.b.c.d/n``."""
        self._ports += 1
        port = f"port{self._ports}"
        hardware = f"address {mac} " if mac else ""
        bridge.namespace.ip(
            f"link add {port} type veth peer name {interface} {hardware}netns {namespace.name}",
            f"link set {port} master {bridge.name} up",
        )
        self._raise(namespace, interface, addresses)

    def cable(
        self,
        one: Namespace,
        one_interface: str,
        other: Namespace,
        other_interface: str,
        *,
        one_addresses: Iterable[str] = (),
        other_addresses: Iterable[str] = (),
    ) -> None:
        """Connect two namespaces directly."""
        one.ip(f"link add {one_interface} type veth peer name {other_interface} netns {other.name}")
        self._raise(one, one_interface, one_addresses)
        self._raise(other, other_interface, other_addresses)

    def tap(self, bridge: Bridge, name: str) -> None:
        """A socket in ``bridge`` for a guest's network card."""
        bridge.namespace.ip(
            f"tuntap add dev {name} mode tap", f"link set {name} master {bridge.name} up"
        )

    def spawn(self, namespace: Namespace, argv: Argv, *, env: Environment | None = None) -> Running:
        """Start a program that ends with these networks at the latest."""
        running = namespace.spawn(argv, env=env)
        self._running.append(running)
        return running

    def close(self) -> None:
        for running in reversed(self._running):
            with contextlib.suppress(TimeoutError):
                running.stop()
        self._running.clear()
        while self._namespaces:
            namespace = self._namespaces.pop()
            if os.path.exists(namespace.path):  # noqa: PTH110 # a mount point, not a file
                with contextlib.suppress(CommandFailedError):
                    process.run(["ip", "netns", "delete", namespace.name])

    @staticmethod
    def _raise(namespace: Namespace, interface: str, addresses: Iterable[str]) -> None:
        namespace.ip(
            f"link set {interface} up",
            *(
                f"address add {address} dev {interface}{' nodad' if ':' in address else ''}"
                for address in addresses
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
