"""An output: a file with a line for every destination."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from clusterf.model.operation import Operation, Outcome, Plan, Stage
from clusterf.model.table import ServiceKey
from clusterf.plugin import Context, Desired, OutputReport, OutputType, PathName, Settings, hookimpl

CLUSTERF_API = "1.0"


class TrialOutputSettings(Settings):
    """Options of ``[outputs.NAME]``."""

    path: PathName


@dataclass(frozen=True)
class Write:
    """One virtual service's lines."""

    stage: ClassVar[Stage] = Stage.EDIT
    subject: ServiceKey
    lines: tuple[str, ...]

    def describe(self) -> str:
        """What will be in the file."""
        return " | ".join(self.lines)

    def reason(self) -> str:
        """None but the table itself."""
        return ""


class TrialOutput:
    """Writes the file whole whenever something is not in it yet."""

    def __init__(self, settings: TrialOutputSettings, context: Context) -> None:
        self._path = context.path(settings.path)
        self._written: dict[ServiceKey, tuple[str, ...]] = {}

    async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
        """What was written is what is there."""

    def plan(self, desired: Desired, subjects: Collection[ServiceKey] | None, now: float) -> Plan:  # noqa: ARG002 - the API's shape
        """One operation for each virtual service that the file does not have like this."""
        wanted = {
            key: tuple(
                f"{key} -> {target} weight {destination.weight}"
                for target, destination in service.destinations.items()
            )
            for key, service in desired.table.items()
        }
        return Plan(
            [Write(key, lines) for key, lines in wanted.items() if self._written.get(key) != lines]
        )

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Write the file."""
        for operation in operations:
            if isinstance(operation, Write):
                self._written[operation.subject] = operation.lines
        lines = [line for lines in self._written.values() for line in lines]
        self._path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return [Outcome(operation) for operation in operations]

    def report(self) -> OutputReport:
        """How many lines there are."""
        return OutputReport(f"{sum(map(len, self._written.values()))} lines")


@hookimpl
def clusterf_register_outputs() -> list[OutputType[TrialOutputSettings]]:
    """One output."""
    summary = "a file with a line for every destination, for the self-test"
    return [
        OutputType(name="trial", settings=TrialOutputSettings, create=TrialOutput, summary=summary)
    ]
