"""The gateway's client, dialled to a real etcd, and what its tests say often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import trio

from clusterf.testing import InstanceContext
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.watch import Watch
from clusterf_etcd.wire import Changes, Event
from tests.etcd.server import Cluster

P = ParamSpec("P")
R = TypeVar("R")

PREFIX = "/clusterf"


@asynccontextmanager
async def dialled(etcd: Cluster | list[str], **facts: Any) -> AsyncIterator[Gateway]:
    """A client with these settings."""
    endpoints = etcd if isinstance(etcd, list) else etcd.endpoints
    settings = ConnectionSettings.model_validate({"endpoints": endpoints, **facts})
    gateway = Gateway(settings, InstanceContext("sources.under-test", folder=Path("/")))
    try:
        yield gateway
    finally:
        with trio.CancelScope(shield=True):
            await gateway.close()


async def aside(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do to the cluster what blocks, while the client goes on."""
    return await trio.to_thread.run_sync(partial(function, *args, **kwargs))


async def until(watch: Watch, revision: int) -> list[Event]:
    """Events up to a revision."""
    return [event for part in await parts(watch, revision) for event in part.events]


async def parts(watch: Watch, revision: int) -> list[Changes]:
    """What a watch tells up to a revision, call by call."""
    told: list[Changes] = []
    with trio.fail_after(30):
        while not told or told[-1].revision < revision:
            told.append(await watch.next())
    return told
