"""What the plugin registers."""

from __future__ import annotations

from pathlib import Path

import clusterf_ipvs
from clusterf.plugin import API_VERSION
from clusterf.testing import InstanceContext
from clusterf_ipvs.output import IpvsOutput
from clusterf_ipvs.settings import IpvsSettings


def test_the_hook_registers_the_type() -> None:
    [kind] = clusterf_ipvs.clusterf_register_outputs()
    assert (kind.name, kind.settings, kind.follows) == ("ipvs", IpvsSettings, False)
    assert clusterf_ipvs.CLUSTERF_API == API_VERSION


async def test_the_type_makes_an_output_and_opens_nothing_yet() -> None:
    [kind] = clusterf_ipvs.clusterf_register_outputs()
    output = kind.create(IpvsSettings(), InstanceContext("outputs.kernel", folder=Path()))
    assert isinstance(output, IpvsOutput)
    assert output.report().detail == "the kernel has not been looked at yet"
