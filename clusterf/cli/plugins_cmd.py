"""``clusterf plugins``: what is loaded, from where, what it provides, and what failed and why."""

from __future__ import annotations

import argparse
import json
import sys

from clusterf.cli.loading import registry_for
from clusterf.plugin.api import API_VERSION
from clusterf.plugin.loader import Registry

Row = tuple[str, str, str, str]
"""Role, name, origin, summary."""


def main(arguments: argparse.Namespace) -> int:
    """List plugins; 0 when all loaded, 78 when one failed."""
    registry = registry_for(arguments.config, bundled_only=arguments.bundled_only)
    if arguments.output_format == "json":
        print(json.dumps(_as_json(registry), indent=1))
    else:
        _as_text(registry)
    return 78 if registry.failures else 0


def _types(registry: Registry) -> list[Row]:
    return [
        (role, name, registry.provided_by[f"{role} {name}"], kind.summary)
        for role, kinds in (
            ("source", registry.sources),
            ("policy", registry.policies),
            ("output", registry.outputs),
        )
        for name, kind in kinds.items()
    ]


def _commands(registry: Registry) -> list[Row]:
    return [
        ("command", name, registry.provided_by[f"command {name}"], command.summary)
        for name, command in registry.commands.items()
    ]


def _as_json(registry: Registry) -> dict[str, object]:
    return {
        "api": API_VERSION,
        "python": sys.version.split()[0],
        "types": [
            {"role": role, "type": name, "origin": origin, "summary": summary}
            for role, name, origin, summary in _types(registry)
        ],
        "commands": [
            {"command": name, "origin": origin, "summary": summary}
            for _, name, origin, summary in _commands(registry)
        ],
        "failures": [
            {"origin": failure.origin, "message": failure.message, "hint": failure.hint}
            for failure in registry.failures
        ],
        "warnings": [
            {
                "origin": uncalled.origin,
                "hook": uncalled.hook,
                "message": uncalled.message,
                "hint": uncalled.hint,
            }
            for uncalled in registry.uncalled_hooks
        ],
    }


def _as_text(registry: Registry) -> None:
    print(f"plugin API {API_VERSION}, Python {sys.version.split()[0]}")
    for role, name, origin, summary in [*_types(registry), *_commands(registry)]:
        print(f"{role:<7} {name:<12} {origin:<10} {summary}")
    for word, findings in (("warning", registry.uncalled_hooks), ("failed", registry.failures)):
        for finding in findings:
            hint = f" (hint: {finding.hint})" if finding.hint else ""
            print(f"{word:<7} {finding.origin}: {finding.message}{hint}")
