from __future__ import annotations

from clusterf.engine.board import Board
from clusterf.engine.desired import EngineDesired, PreviewDesired
from clusterf.engine.reconciler import Reconciler, Rules
from clusterf.model.service import Frontend, ServiceRef
from clusterf.plugin.output import DataPlane
from tests.model_kernel import Kernel, KernelOutput
from tests.strategies import MANAGED, backend, entry, frontend, ip, spec, target, tcp

VIP, OTHER = ip("192.0.2.1"), ip("192.0.2.2")


class World:
    """One source that serves a VIP, and data planes on kernels of their own."""

    def __init__(self, planes: int = 1) -> None:
        self.board = Board()
        self.board.arrange(["a"])
        self.reconciler = Reconciler(self.board, lambda _: None)
        self.reconciler.configure(Rules(scope=MANAGED))
        self.end = self.board.publisher("a", lambda: None)
        self.planes = [KernelOutput(Kernel()) for _ in range(planes)]
        self.known = True
        arguments = (self.reconciler, lambda: self.planes, lambda: self.known)
        self.desired = EngineDesired(*arguments)
        self.preview = PreviewDesired(*arguments)

    async def serve(self, *, weight: int = 10) -> None:
        self.end.replace([spec("web", frontend(), Frontend(fwmark=1)), backend(weight=weight)])
        await self.reconciler.reconcile(self.board.take())


def holds(plane: KernelOutput, *weights: int) -> None:
    plane.kernel.services[tcp()] = entry(*weights)
    plane.look()


async def test_it_shows_the_table_of_the_reconciler() -> None:
    world = World()
    await world.serve()
    assert world.desired.table is world.reconciler.table


async def test_it_holds_while_something_is_unknown() -> None:
    world = World()
    assert world.desired.hold == "a has not spoken yet"
    await world.serve()
    assert world.desired.hold is None


async def test_what_left_is_certain() -> None:
    world = World()
    world.board.arrange(["a", "silent"])
    await world.serve()
    world.end.drop(ServiceRef("web"))
    await world.reconciler.reconcile(world.board.take())
    assert world.desired.departed(tcp())
    assert world.desired.departed(tcp(), target(1))
    assert not world.desired.departed(tcp(port=81))


async def test_a_vip_can_serve_when_every_data_plane_can() -> None:
    world = World(planes=2)
    await world.serve()
    assert isinstance(world.planes[0], DataPlane)
    assert not world.desired.serving(VIP)
    holds(world.planes[0], 10)
    assert not world.desired.serving(VIP)
    holds(world.planes[1], 0)
    assert not world.desired.serving(VIP)
    holds(world.planes[1], 0, 10)
    assert world.desired.serving(VIP)
    assert not world.desired.serving(OTHER)


async def test_without_a_data_plane_the_table_decides() -> None:
    world = World(planes=0)
    await world.serve()
    assert world.desired.serving(VIP)
    await world.serve(weight=0)
    assert not world.desired.serving(VIP)


async def test_a_vip_that_left_the_table_does_not_serve() -> None:
    world = World()
    await world.serve()
    holds(world.planes[0], 10)
    world.end.replace([])
    await world.reconciler.reconcile(world.board.take())
    assert not world.desired.serving(VIP)
    assert world.desired.held(VIP)


async def test_a_vip_is_held_while_a_data_plane_has_an_entry_for_it() -> None:
    world = World(planes=2)
    await world.serve()
    assert not world.desired.held(VIP)
    holds(world.planes[1], 0)
    assert world.desired.held(VIP)
    assert not world.desired.held(OTHER)


async def test_what_a_data_plane_holds_is_unknown_before_it_has_looked() -> None:
    world = World()
    await world.serve()
    world.known = False
    assert world.desired.held(OTHER)


async def test_a_preview_takes_the_table_as_carried_out() -> None:
    world = World()
    await world.serve()
    assert world.preview.serving(VIP)
    assert world.preview.held(VIP)
    assert not world.preview.serving(OTHER)
    assert not world.preview.held(OTHER)
    await world.serve(weight=0)
    assert not world.preview.serving(VIP)
    assert world.preview.held(VIP)
