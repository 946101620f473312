from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.plugin import Severity
from clusterf.testing import InstanceContext
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.probe import probe
from tests.etcd.following import settings
from tests.etcd.server import Cluster

pytestmark = pytest.mark.etcd


def gateway(etcd: Cluster) -> Gateway:
    return Gateway(settings(etcd.endpoints), InstanceContext("sources.c", folder=Path("/")))


async def test_all_is_well(etcd: Cluster) -> None:
    assert await probe(gateway(etcd), "/clusterf") == []


async def test_nobody_is_there(etcd: Cluster) -> None:
    etcd.kill()
    [finding] = await probe(gateway(etcd), "/clusterf")
    assert finding.severity is Severity.ERROR
    assert "connection refused" in finding.message


async def test_a_user_is_asked_for(etcd: Cluster) -> None:
    etcd.enable_auth()
    [finding] = await probe(gateway(etcd), "/clusterf")
    assert "user name is empty" in finding.message
    assert finding.hint == "etcd asks for a user: set user and password_file"
