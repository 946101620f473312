from __future__ import annotations

import clusterf_local
from clusterf_local.settings import LocalSettings


def test_the_type_is_registered() -> None:
    [kind] = clusterf_local.clusterf_register_policies()
    assert (kind.name, kind.settings) == ("local", LocalSettings)
