"""Whether etcd is there and lets us in."""

from __future__ import annotations

from clusterf.plugin import ProbeResult, Severity
from clusterf_etcd.failure import EtcdError
from clusterf_etcd.gateway import Gateway


async def probe(gateway: Gateway, prefix: str) -> list[ProbeResult]:
    """Ask for one key, as a source or an output will ask for all."""
    try:
        await gateway.get(f"{prefix}/services")
    except EtcdError as failure:
        return [ProbeResult(Severity.ERROR, str(failure), failure.hint)]
    finally:
        await gateway.close()
    return []
