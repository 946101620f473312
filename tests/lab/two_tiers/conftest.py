"""Both tiers, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.two_tiers.kernel import takes_tables
from tests.lab.two_tiers.stage import Stage
from tests.lab.two_tiers.tiers import INSIDE, PORT, Tiers, both
from tests.lab.two_tiers.transfers import Answerer


@pytest.fixture(scope="package")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    """The stage, with clusterf on both tiers and servers behind them."""
    with (
        Stage() as stage,
        Answerer(stage.container, INSIDE),
        Answerer(stage.alone.namespace, PORT),
        both(stage, tmp_path_factory.mktemp("tiers")) as made,
    ):
        yield made


@pytest.fixture
def nftables() -> None:
    """A kernel with nftables, of which user-mode Linux has none for IP."""
    if not takes_tables():
        pytest.skip("this kernel has no nftables for IPv4 and IPv6 (CONFIG_NF_TABLES_INET)")
