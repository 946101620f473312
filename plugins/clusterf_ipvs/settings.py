"""Settings of the output: the options of ``type = "ipvs"``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from clusterf.plugin import Duration, Settings
from clusterf_ipvs.batch import LARGEST


class IpvsSettings(Settings):
    """Table ``[outputs.NAME]`` with ``type = "ipvs"``."""

    drain: Annotated[
        Duration,
        Field(
            description="longest time that a destination keeps its connections after it left;"
            " 0: delete at once"
        ),
    ] = 300.0
    drain_poll: Annotated[
        Duration,
        Field(gt=0, description="how often the connections of a draining destination are counted"),
    ] = 1.0
    batch: Annotated[
        int, Field(ge=1, le=LARGEST, description="messages to the kernel in one system call")
    ] = 512
    deadline: Annotated[
        Duration, Field(gt=0, description="longest wait for an answer of the kernel")
    ] = 10.0
