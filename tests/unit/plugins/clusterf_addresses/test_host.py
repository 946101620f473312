from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.plugins.clusterf_addresses import behaviours
from tests.unit.plugins.clusterf_addresses.fake_host import FakeHost
from tests.unit.plugins.clusterf_addresses.tunnels import behaviours as tunnel_behaviours

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("behaviour", behaviours.ALL, ids=lambda one: one.__name__)
def test_the_fake_behaves_as_tests_lab_test_addresses_says_of_a_host(
    behaviour: Callable[[Any], None],
) -> None:
    host = FakeHost()
    host.sysctls[behaviours.FORWARD] = 0
    behaviour(host)


@pytest.mark.parametrize(
    "behaviour", tunnel_behaviours.ALL_BEHAVIOURS, ids=lambda one: one.__name__
)
def test_the_fake_behaves_as_tests_lab_test_tunnels_says_of_a_host(
    behaviour: Callable[[Any], None],
) -> None:
    behaviour(FakeHost())
