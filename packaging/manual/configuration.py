"""The parts of clusterf.toml(5) that the models tell, with the words of the samples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from clusterf.config.settings import (
    CoreTable,
    DefaultsTable,
    OutputKeys,
    PolicyKeys,
    SourceKeys,
)
from clusterf.plugin.options import Option, options_of
from clusterf.plugin.registry import Loaded, Registry, Role
from clusterf.plugin.settings import Settings
from clusterf_static.shape import BackendTable, RouteTable, ServiceTable
from manual import roff
from manual.sample import Told, told

_ROLES: Mapping[str, tuple[Role, type[Settings]]] = {
    "sources": ("source", SourceKeys),
    "policies": ("policy", PolicyKeys),
    "outputs": ("output", OutputKeys),
}
_TYPE = "type"


def parts(registry: Registry, root: Path) -> Mapping[str, list[str]]:
    """By the names that the page has for them. ``root`` has the samples."""
    core = told((root / "clusterf.toml").read_text("utf-8"))
    found = {
        "clusterf": list(_options(CoreTable, "clusterf", core)),
        "defaults": list(_options(DefaultsTable, "defaults", core)),
        "service": list(_own(ServiceTable)),
        "backend": list(_own(BackendTable)),
        "route": list(_options(RouteTable, "routes", {})),
    }
    for section, (role, keys) in _ROLES.items():
        found[section] = [
            *_options(keys, section, core),
            *(
                line
                for plugin in registry.plugins
                for name in plugin.brings.get(role, ())
                for line in _type(section, name, plugin, registry, root)
            ),
        ]
    return found


def _type(section: str, name: str, plugin: Loaded, registry: Registry, root: Path) -> Iterator[str]:
    """One type with its options, in the words of its plugin's sample."""
    role, _ = _ROLES[section]
    kind = registry.of(role)[name]
    words = told((root / "plugins" / plugin.name / "sample.toml").read_text("utf-8"))
    yield from roff.subheading(
        f"{role.capitalize()}: {roff.literal(f'type = {chr(34)}{name}{chr(34)}')}"
    )
    for one in words.get((section, _TYPE), [_sentence(kind.summary)]):
        yield from roff.paragraph(roff.ticked(one))
    options = list(_options(kind.settings, section, words))
    yield from options or roff.paragraph("It has no options of its own.")


def _own(model: type[Settings]) -> Iterator[str]:
    """The keys that are not in ``[defaults]`` as well."""
    for option in options_of(model):
        if option.name not in DefaultsTable.model_fields:
            yield from _option(option, [])


def _options(model: type[Settings], section: str, words: Told) -> Iterator[str]:
    for option in options_of(model):
        # What stands above a type tells of the type.
        said = words.get((section, option.name), []) if option.name != _TYPE else []
        yield from _option(option, said)


def _option(option: Option, said: list[str]) -> Iterator[str]:
    facts = [option.kind]
    if option.required:
        facts.append("mandatory")
        said = [_sentence(one.removeprefix("Mandatory: ")) for one in said]
    elif option.default:
        facts.append(f"default {option.default}")
    tag = f"{roff.bold(option.name)} ({roff.literal(', '.join(facts))})"
    yield from roff.tagged(tag, map(roff.ticked, said or [_sentence(option.description)]))


def _sentence(words: str) -> str:
    """Of what begins small and has no stop, unless it begins with what is written so."""
    first = words[:1].upper() if re.match(r"[A-Za-z-]+\b(?![:/_])", words) else words[:1]
    return f"{first}{words[1:].removesuffix('.')}."
