"""Ethernet segments, and kernels with IPVS that have their cards in them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from tests.lab import choice
from tests.lab.kernel import HostKernel
from tests.lab.network import FORWARDING
from tests.lab.process import LabError
from tests.lab.uml import Nic, UmlKernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab.kernel import Kernel
    from tests.lab.network import Bridge, Namespace, Networks


class Card(NamedTuple):
    """A network card: its name in the kernel that has it, and where its cable ends."""

    name: str
    segment: Bridge
    mac: str


class Wiring:
    """Bridges in a namespace that stands for the wires. Several kernels may be booted at once."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self.namespace = networks.namespace("wires")
        self._taps: dict[str, str] = {}
        self._cabling = threading.Lock()

    def segment(self, name: str) -> Bridge:
        return self._networks.bridge(self.namespace, name)

    def kernel(self, label: str, cards: Sequence[Card], *, memory: int = 512) -> Kernel:
        """Boot the kernel that this machine has for it, with ``memory`` MiB; the caller closes it.

        Its cards are up and have no addresses. It forwards and does not check where packets come
        from.
        """
        chosen = choice.choose()
        if chosen.kind == "none":
            raise LabError(chosen.reason)
        kernel: Kernel
        if chosen.kind == "host":
            kernel = HostKernel(self.plugged(label, cards))
        else:
            kernel = UmlKernel(memory=memory, nics=self.nics(cards), namespace=self.namespace)
        try:
            kernel.sysctl(**FORWARDING)
            kernel.ip("link set lo up")
        except BaseException:
            kernel.close()
            raise
        return kernel

    def plugged(self, label: str, cards: Sequence[Card]) -> Namespace:
        """A namespace of this kernel with the cards in it, up and without addresses."""
        with self._cabling:
            namespace = self._networks.namespace(label)
            for card in cards:
                self._networks.plug(namespace, card.name, card.segment, mac=card.mac)
            return namespace

    def nics(self, cards: Sequence[Card]) -> list[Nic]:
        """The cards of a guest, whose process has to run in `namespace`."""
        with self._cabling:
            return [Nic(name=card.name, tap=self._tap(card), mac=card.mac) for card in cards]

    def _tap(self, card: Card) -> str:
        """The host's end of a guest's card: it outlives the guest, for the next one with that."""
        if card.mac not in self._taps:
            self._taps[card.mac] = f"tap{len(self._taps)}-{card.name}"
            self._networks.tap(card.segment, self._taps[card.mac])
        return self._taps[card.mac]
