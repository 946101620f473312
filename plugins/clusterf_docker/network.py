"""A network as the engine describes it: one entry of its list in, one checked value out. Pure.

As of the Docker Engine API (1.24 and later, ``GET /networks``): read as strictly as containers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StrictBool

from clusterf.model.address import Network
from clusterf_docker.answer import ID, NAME, Part, Text, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerNetwork:
    """One network. ``internal``: it has no way out. ``template``: others are made after it."""

    id: str
    name: str
    driver: str
    scope: str
    internal: bool
    template: bool
    subnets: tuple[Network, ...]

    def __str__(self) -> str:
        """Name for people; the short id where the name is more than a word."""
        return self.name if NAME.fullmatch(self.name) else self.id[:12]


class _Pool(Part):
    Subnet: Text = ""


class _IPAM(Part):
    Config: list[_Pool] | None = None


class _Listed(Part):
    Id: Annotated[Text, Field(pattern=f"^{ID.pattern}$")]
    Name: Text = ""
    Driver: Text = ""
    Scope: Text = ""
    Internal: StrictBool = False
    ConfigOnly: StrictBool = False
    IPAM: _IPAM | None = None


def read(answer: object) -> DockerNetwork:
    """Read the JSON of one network.

    Raises:
        Unreadable: saying where it is not as the API has it.
    """
    with reading():
        listed = _Listed.model_validate(answer)
        pools = listed.IPAM.Config if listed.IPAM is not None else None
        return DockerNetwork(
            id=listed.Id,
            name=listed.Name,
            driver=listed.Driver,
            scope=listed.Scope,
            internal=listed.Internal,
            template=listed.ConfigOnly,
            # Engines before 1.13 write the bridge's own address, with host bits.
            subnets=tuple(
                Network.parse(pool.Subnet, masked=True) for pool in pools or () if pool.Subnet
            ),
        )
