"""A source: one service with the backends that the configuration counts."""

from clusterf.model.address import Address
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Frontend, Ports, ServiceSpec
from clusterf.plugin import Context, Publisher, Settings, SourceType, hookimpl

CLUSTERF_API = "1.0"


class TrialSourceSettings(Settings):
    """Options of ``[sources.NAME]``."""

    vip: str = "192.0.2.1"
    backends: int = 2


class TrialSource:
    """Says what it was told, and ends: that is final."""

    def __init__(self, settings: TrialSourceSettings, context: Context) -> None:
        self._settings = settings
        self._provenance = Provenance(context.name)

    async def run(self, publish: Publisher) -> None:
        """Publish once."""
        web = Frontend(ipv4=Address.parse(self._settings.vip), ports=Ports(tcp=80))
        publish.replace(
            [
                ServiceSpec("web", self._provenance, frontends=(web,)),
                *(self._backend(number) for number in range(1, self._settings.backends + 1)),
            ]
        )

    def _backend(self, number: int) -> Backend:
        address = Address.parse(f"198.51.100.{number}")
        return Backend("web", str(number), Ports(tcp=80), self._provenance, weight=10, ipv4=address)


@hookimpl
def clusterf_register_sources() -> list[SourceType[TrialSourceSettings]]:
    """One source."""
    summary = "a service and some backends, for the self-test"
    return [
        SourceType(name="trial", settings=TrialSourceSettings, create=TrialSource, summary=summary)
    ]
