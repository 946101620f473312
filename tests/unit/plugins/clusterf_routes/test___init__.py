from __future__ import annotations

import clusterf_routes
from clusterf_routes.settings import RoutesSettings


def test_the_type_is_registered() -> None:
    [kind] = clusterf_routes.clusterf_register_policies()
    assert (kind.name, kind.settings) == ("routes", RoutesSettings)
