"""Policy ``label-weight``: the weight of a backend by a label of its container.

``docker run --label size=large ...`` gives it the weight that ``weights = { large = 20 }`` says,
without clusterf's own labels: the value may have been there before clusterf was.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field

from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Backend, Facts, Service
from clusterf.model.table import WEIGHT_MAX
from clusterf.plugin import Context, PolicyType, Settings, WeightNumber, hookimpl, shown

CLUSTERF_API = "1.0"
__version__ = "1.0"


class LabelWeightSettings(Settings):
    """Which label, and what its values mean."""

    label: str = Field(min_length=1, description="name of the label: size")
    weights: dict[str, WeightNumber] = Field(
        {}, description="weights by the label's value; without it the value is the weight itself"
    )
    services: list[Annotated[str, Field(min_length=1)]] | None = Field(
        None, description="patterns of the services that this is about; without it all"
    )


class LabelWeight:
    """Implements `Policy`. A backend without the label keeps its weight."""

    def __init__(self, settings: LabelWeightSettings, context: Context) -> None:
        self._settings = settings
        self._provenance = Provenance(context.name)

    def apply(self, service: Service, facts: Facts) -> Service:  # noqa: ARG002 - needs no facts
        """Set weights; a value that means nothing is refused and changes nothing."""
        if not self._is_about(service.name):
            return service
        backends: dict[str, Backend] = {}
        refusals: list[Refusal] = []
        for name, backend in service.backends.items():
            value = backend.labels.get(self._settings.label)
            weight = backend.weight if value is None else self._weight(value)
            if value is not None and weight is None:
                refusals.append(self._refused(backend, value))
                weight = backend.weight
            backends[name] = (
                backend if weight == backend.weight else backend._replace(weight=weight)
            )
        if backends == service.backends and not refusals:
            return service
        return service.with_backends(backends, *refusals)

    def _is_about(self, name: str) -> bool:
        patterns = self._settings.services
        return patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)

    def _weight(self, value: str) -> int | None:
        """What a value means; None: nothing."""
        if self._settings.weights:
            return self._settings.weights.get(value)
        # Anybody may label a container: no signs, no underscores, no digits of other scripts.
        if value.isascii() and value.isdigit() and len(value) <= len(str(WEIGHT_MAX)):
            return min(int(value), WEIGHT_MAX)
        return None

    def _refused(self, backend: Backend, value: str) -> Refusal:
        known = ", ".join(self._settings.weights)
        return Refusal(
            f"service {backend.service} backend {backend.id}",
            "bad_label",
            f"label {self._settings.label} has the value {shown(value)}, which is no weight",
            self._provenance,
            f"one of {known}" if known else f"a whole number up to {WEIGHT_MAX}",
        )


@hookimpl
def clusterf_register_policies() -> Iterable[PolicyType[Any]]:
    """Register the type ``label-weight``."""
    return [
        PolicyType(
            name="label-weight",
            settings=LabelWeightSettings,
            create=LabelWeight,
            summary="weights of backends by a label of their containers",
        )
    ]
