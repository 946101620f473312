"""The table of a policy of type ``routes``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clusterf.plugin import (
    Code,
    Fault,
    IPAddress,
    IPNetwork,
    MethodName,
    Settings,
    SourcePatterns,
    TunnelSettings,
    raise_faults,
    route_faults,
)


def _nothing_if_empty(value: Any) -> Any:
    """The original clusterf writes an empty string where nothing is said."""
    return None if value == "" else value


class RouteSettings(Settings):
    """One route. Without a prefix it is the default; without a method it filters out."""

    name: Annotated[
        str, Field(min_length=1, max_length=255, description="what status and refusals call it")
    ]
    prefix: Annotated[
        IPNetwork | None,
        BeforeValidator(_nothing_if_empty, json_schema_input_type=IPNetwork | Literal[""] | None),
        Field(description="backends whose own address is in it; without it all of both families"),
    ] = None
    method: Annotated[
        MethodName | None,
        BeforeValidator(_nothing_if_empty, json_schema_input_type=MethodName | Literal[""] | None),
        Field(description="forwarding method; without it the backends are filtered out"),
    ] = None
    gateway: Annotated[
        IPAddress | None,
        BeforeValidator(_nothing_if_empty, json_schema_input_type=IPAddress | Literal[""] | None),
        Field(description="the destination in place of the backend, at the frontend's port"),
    ] = None
    tunnel: Annotated[
        TunnelSettings | None, Field(description='encapsulation for method = "tunnel"')
    ] = None

    @model_validator(mode="after")
    def _check(self) -> RouteSettings:
        if faults := list(route_faults(self)):
            raise_faults("route", faults)
        return self


class RoutesSettings(Settings):
    """Routes of its own, and whose routes count besides."""

    routes: Annotated[
        list[RouteSettings],
        Field(description="routes that come before those of sources, the earlier ones first"),
    ] = []  # noqa: RUF012 - pydantic copies defaults
    sources: Annotated[
        SourcePatterns | None,
        Field(description="patterns of the sources whose routes count; without it all"),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> RoutesSettings:
        first: dict[str, int] = {}
        faults = [
            Fault(
                ("routes", index, "name"),
                f'there is a route "{route.name}" already',
                code=Code.CONTRADICTION,
            )
            for index, route in enumerate(self.routes)
            if first.setdefault(route.name, index) != index
        ]
        if faults:
            raise_faults("routes", faults)
        return self
