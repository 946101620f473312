"""``clusterf plan``: the operations that would make the world match. Changes nothing."""

from __future__ import annotations

import argparse
import json
import sys

import trio

from clusterf.cli import logs
from clusterf.cli.loading import read_or_raise, tell
from clusterf.engine.single import Preview, SingleEngine
from clusterf.model.counting import counted
from clusterf.model.operation import steps

CHANGES = 2
"""Exit code when there is something to do, as of ``terraform plan -detailed-exitcode``."""


def main(arguments: argparse.Namespace) -> int:
    """Print the plans of all outputs; 0 nothing to do, 2 changes, 75 a source did not speak."""
    configuration, problems = read_or_raise(arguments)
    logs.start("warning", configuration.core.log_format)
    tell(problems)
    preview = trio.run(SingleEngine(configuration).preview)
    if arguments.output_format == "json":
        print(json.dumps(_as_json(preview), indent=1))
    else:
        _as_text(preview)
    if any(plan.operations for plan in preview.plans.values()):
        return CHANGES
    return 75 if preview.hold else 0


def _as_json(preview: Preview) -> dict[str, object]:
    return {
        "hold": preview.hold,
        "operations": [
            {
                "output": output,
                "entry": None if operation.subject is None else str(operation.subject),
                "operation": operation.describe(),
                "reason": operation.reason(),
            }
            for output, plan in preview.plans.items()
            for operation in steps(plan.operations)
        ],
        "held": [
            {"output": output, "entry": str(key), "reason": reason}
            for output, plan in preview.plans.items()
            for key, reason in plan.held.items()
        ],
        "refusals": [str(refusal) for refusal in preview.refusals],
    }


def _as_text(preview: Preview) -> None:
    count = 0
    for output, plan in preview.plans.items():
        for operation in steps(plan.operations):
            count += 1
            reason = operation.reason()
            print(f"{output}: {operation.describe()}" + (f"  # {reason}" if reason else ""))
        if plan.held:
            held = counted(len(plan.held), "entry", "entries")
            print(f"{output}: leaves {held} alone: {preview.hold}")
    for refusal in preview.refusals:
        print(f"refused: {refusal}", file=sys.stderr)
    if preview.hold:
        print(f"incomplete: {preview.hold}; nothing would be removed", file=sys.stderr)
    print(counted(count, "operation") if count else "nothing to do")
