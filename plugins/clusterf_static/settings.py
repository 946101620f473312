"""Settings of the source ``static``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from clusterf.plugin import Code, Duration, Fault, PathName, Settings, raise_faults
from clusterf_static.records import read_content
from clusterf_static.shape import RouteTable, ServiceTable


def _as_it_is(value: Any) -> Any:
    """What is in the tables `read_content` reads, which tells more than one fault of each."""
    return value


class StaticSettings(Settings):
    """Either ``path``, or ``services`` and ``routes`` in place."""

    path: Annotated[
        PathName | None,
        Field(description="a TOML file, or a directory of which all *.toml are read in order"),
    ] = None
    look: Annotated[
        Duration, Field(ge=1, description="how often the files are looked at without an event")
    ] = 10.0
    services: Annotated[
        dict[str, Any] | None,
        BeforeValidator(_as_it_is, json_schema_input_type=dict[str, ServiceTable] | None),
        Field(description="services in place"),
    ] = None
    routes: Annotated[
        dict[str, Any] | None,
        BeforeValidator(_as_it_is, json_schema_input_type=dict[str, RouteTable] | None),
        Field(description="routes in place"),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> StaticSettings:
        if self.path is not None:
            if self.services is not None or self.routes is not None:
                message = "stands beside services or routes in place"
                hint = "use two sources"
                raise_faults("static", [Fault(("path",), message, hint, Code.CONTRADICTION)])
        elif self.services is None and self.routes is None:
            fault = Fault((), 'missing key "path"', code=Code.MISSING_KEY, missing="path")
            raise_faults("static", [fault])
        if faults := read_content(self.inline(), "").faults:
            raise_faults("static", faults)
        return self

    def inline(self) -> dict[str, Any]:
        """What a file would say of the services and routes in place."""
        sections = {"services": self.services, "routes": self.routes}
        return {key: value for key, value in sections.items() if value is not None}
