"""An output on a fake kernel, and the engine's side of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import trio

from clusterf.model.address import Network
from clusterf.testing import InstanceContext
from clusterf_ipvs.fake import FakeKernel
from clusterf_ipvs.output import IpvsOutput
from clusterf_ipvs.settings import IpvsSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from clusterf.model.address import Address
    from clusterf.model.operation import Outcome, Plan
    from clusterf.model.table import DestinationKey, ServiceKey, VirtualService
    from clusterf.plugin import Desired


@dataclass
class Rig:
    """What the engine does: look, plan, carry out."""

    kernel: FakeKernel
    output: IpvsOutput
    table: dict[ServiceKey, VirtualService] = field(default_factory=dict)
    hold: str | None = None

    def departed(self, _key: ServiceKey, _target: DestinationKey | None = None) -> bool:
        return False

    def serving(self, _address: Address) -> bool:
        return True

    def held(self, _address: Address) -> bool:
        return False

    def plan(self, subjects: Collection[ServiceKey] | None = None) -> Plan:
        return self.output.plan(cast("Desired", self), subjects, trio.current_time())

    async def go(self, subjects: Collection[ServiceKey] | None = None) -> Sequence[Outcome]:
        """Plan and carry out, without a look."""
        return await self.output.carry_out(self.plan(subjects).operations)

    async def look(self, subjects: Collection[ServiceKey] | None = None) -> Sequence[Outcome]:
        """Look, plan, carry out."""
        await self.output.observe(subjects)
        return await self.go(subjects)

    def written(self) -> int:
        """Writes since the last time this was asked."""
        number = len(self.kernel.writes)
        self.kernel.log.clear()
        return number


def make_rig(kernel: FakeKernel, drain: float = 300.0, batch: int = 512) -> Rig:
    context = InstanceContext(
        "outputs.kernel",
        folder=Path(),
        managed=[Network.parse("192.0.2.0/24"), Network.parse("2001:db8:1::/64")],
        managed_fwmarks=range(1, 9),
    )
    settings = IpvsSettings(drain=drain, batch=batch)
    return Rig(kernel, IpvsOutput(settings, context, kernel))


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel()


@pytest.fixture
def rig(kernel: FakeKernel) -> Rig:
    return make_rig(kernel)
