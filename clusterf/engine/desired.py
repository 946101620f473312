"""The view that outputs plan against: the table, what may be removed, what can serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clusterf.engine.reconciler import Reconciler
from clusterf.model.address import Address
from clusterf.model.table import AddressKey, DestinationKey, ServiceKey, VirtualService
from clusterf.plugin.output import DataPlane


class EngineDesired:
    """Implements `clusterf.plugin.Desired` over the engine's live state."""

    def __init__(
        self,
        reconciler: Reconciler,
        planes: Callable[[], Sequence[DataPlane]],
        planes_known: Callable[[], bool],
    ) -> None:
        self._reconciler = reconciler
        self._planes = planes
        self._planes_known = planes_known
        self.statements = reconciler.statements
        """What the sources say."""

    @property
    def table(self) -> Mapping[ServiceKey, VirtualService]:
        """What should be."""
        return self._reconciler.table

    @property
    def hold(self) -> str | None:
        """Why nothing may be removed now, or None."""
        return self._reconciler.unknown

    def departed(self, key: ServiceKey, target: DestinationKey | None = None) -> bool:
        """Whether this left the table in this run: its removal is certain."""
        return self._reconciler.departed(key, target)

    def serving(self, address: Address) -> bool:
        """Whether some entry at this VIP can serve on every data plane output."""
        planes = self._planes()
        return any(
            all(plane.serving(key) for plane in planes)
            if planes
            else self._reconciler.table[key].serves
            for key in self._reconciler.entries_at(address)
        )

    def held(self, address: Address) -> bool:
        """Whether a data plane output still has an entry for this VIP, for all that is known."""
        return not self._planes_known() or any(
            isinstance(key, AddressKey) and key.address == address
            for plane in self._planes()
            for key in plane.entries()
        )


class PreviewDesired(EngineDesired):
    """The same for ``clusterf plan``: as if the data planes already held the table."""

    def serving(self, address: Address) -> bool:
        """Whether the table has a destination for this VIP."""
        return any(
            self._reconciler.table[key].serves for key in self._reconciler.entries_at(address)
        )

    def held(self, address: Address) -> bool:
        """Whether the table has an entry for this VIP."""
        return bool(self._reconciler.entries_at(address))
