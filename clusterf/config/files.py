"""Files that settings name: certificates, passwords, folders of services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from clusterf.config.configuration import Configuration, Instance


def files_of(configuration: Configuration) -> Iterator[tuple[str, Path]]:
    """Each with the key that names it, in the order of the file."""
    instances: list[Instance[Any]] = [
        *configuration.sources.values(),
        *configuration.policies,
        *configuration.outputs.values(),
    ]
    for instance in instances:
        for key, path in _paths(instance.settings):
            yield f"{instance.name}.{key}", configuration.folder / path


def _paths(model: BaseModel) -> Iterator[tuple[str, Path]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Path):
            yield name, value
        elif isinstance(value, BaseModel):
            for inner, path in _paths(value):
                yield f"{name}.{inner}", path
