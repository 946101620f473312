"""``clusterf schema``: the JSON Schema of clusterf.toml, for editors."""

from __future__ import annotations

import argparse
import json

from clusterf.cli.drawing import write
from clusterf.cli.loading import registry_for
from clusterf.config.schema import json_schema


def main(arguments: argparse.Namespace) -> int:
    """Print it, with the types of all plugins that the configuration can use."""
    registry = registry_for(arguments.config, bundled_only=arguments.bundled_only)
    write(json.dumps(json_schema(registry), indent=2) + "\n")
    return 0
