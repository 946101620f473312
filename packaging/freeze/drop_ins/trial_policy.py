"""A policy: every backend's weight times a factor."""

from clusterf.model.service import Facts, Service
from clusterf.plugin import Context, PolicyType, Settings, hookimpl

CLUSTERF_API = "1.0"


class TrialPolicySettings(Settings):
    """Options of ``[[policies]]``."""

    factor: int = 3


class TrialPolicy:
    """Multiplies."""

    def __init__(self, settings: TrialPolicySettings, context: Context) -> None:  # noqa: ARG002 - the API's shape
        self._factor = settings.factor

    def apply(self, service: Service, facts: Facts) -> Service:  # noqa: ARG002 - the API's shape
        """Change the weights."""
        return service._replace(
            backends={
                identity: backend._replace(weight=(backend.weight or 0) * self._factor)
                for identity, backend in service.backends.items()
            }
        )


@hookimpl
def clusterf_register_policies() -> list[PolicyType[TrialPolicySettings]]:
    """One policy."""
    summary = "weights times a factor, for the self-test"
    return [
        PolicyType(name="trial", settings=TrialPolicySettings, create=TrialPolicy, summary=summary)
    ]
