from __future__ import annotations

import clusterf_etcd
from clusterf_etcd.settings import EtcdOutputSettings, EtcdSourceSettings

[SOURCE] = clusterf_etcd.clusterf_register_sources()
[OUTPUT] = clusterf_etcd.clusterf_register_outputs()


def test_a_source_and_an_output_that_publishes_are_registered() -> None:
    assert (SOURCE.name, SOURCE.settings) == ("etcd", EtcdSourceSettings)
    assert (OUTPUT.name, OUTPUT.settings, OUTPUT.publishes) == ("etcd", EtcdOutputSettings, True)
    assert not OUTPUT.follows
