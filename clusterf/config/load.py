"""Load: clusterf.toml becomes a checked configuration, or problems, all of them at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import ValidationError

from clusterf.config.completeness import completeness_faults, surplus_faults
from clusterf.config.configuration import Configuration, Core, Instance
from clusterf.config.misplaced import core_keys_elsewhere, whereabouts
from clusterf.config.settings import (
    CoreTable,
    DefaultsTable,
    OutputKeys,
    PolicyKeys,
    SourceKeys,
    managed_faults,
)
from clusterf.model.address import Network
from clusterf.model.problem import Code, Problem, has_errors
from clusterf.plugin.api import AnyType, OutputType
from clusterf.plugin.document import Document, DocumentError, Fault
from clusterf.plugin.faults import did_you_mean, faults_of, shown
from clusterf.plugin.loader import DISABLED_HERE, Registry
from clusterf.plugin.positions import KeyPath
from clusterf.plugin.registry import Disabled
from clusterf.plugin.settings import Settings

S = TypeVar("S", bound=Settings)
Keys = SourceKeys | PolicyKeys | OutputKeys

_TABLES = ("clusterf", "defaults", "sources", "outputs", "services", "routes")
_SECTIONS = (*_TABLES, "policies")
_IMPLICIT = "services"
"""Name of the source that stands for [services] and [routes] of clusterf.toml itself."""
_STATIC = "static"
_EVERYTHING = (Network.parse("0.0.0.0/0"), Network.parse("::/0"))


@dataclass(slots=True)
class Reading:
    """What could be read of a file. ``configuration`` leaves out what has an error."""

    document: Document
    configuration: Configuration
    problems: list[Problem]


def load_configuration(
    path: Path, registry: Registry
) -> tuple[Configuration | None, list[Problem]]:
    """The configuration, None if anything in it is an error; and all problems either way."""
    try:
        reading = read_configuration(path, registry)
    except DocumentError as error:
        return None, [error.problem]
    if has_errors(reading.problems):
        return None, reading.problems
    return reading.configuration, reading.problems


class PluginChoice(NamedTuple):
    """Which plugins a configuration wants: where drop-ins are, and the names of those left out."""

    folders: tuple[Path, ...] = ()
    disabled: tuple[str, ...] = ()


def read_plugin_choice(path: Path) -> PluginChoice:
    """Only what it takes to load plugins, so that this can be done before all is checked.

    Empty as far as it cannot be told; `load_configuration` will say why.
    """
    try:
        core = Document.read(path).data.get("clusterf", {})
    except DocumentError:
        return PluginChoice()
    if not isinstance(core, dict):
        return PluginChoice()
    folders = (path.parent / name for name in _strings(core.get("plugin_dirs")) if "\0" not in name)
    return PluginChoice(tuple(folders), tuple(_strings(core.get("disable_plugins"))))


def _strings(value: object) -> list[str]:
    """Of an array, what is text."""
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, str) and one]


def read_configuration(path: Path, registry: Registry) -> Reading:
    """Read as much as is right.

    Raises:
        DocumentError: the file is not a TOML document.
    """
    document = Document.read(path)
    return _Reader(document, registry).read(path)


@dataclass(slots=True)
class _Reader:
    """One pass over one document; faults are collected on the way."""

    document: Document
    registry: Registry
    faults: list[Fault] = field(default_factory=list)

    def read(self, path: Path) -> Reading:
        data = self._shaped()
        core = self._core(data)
        defaults = self._table(DefaultsTable, ("defaults",), data.get("defaults", {}))
        sources = {
            instance.name: instance
            for instance in (*self._implicit(data), *self._named(data, "sources"))
        }
        policies = self._policies(data.get("policies", []))
        outputs = {instance.name: instance for instance in self._named(data, "outputs")}
        managing = {name for name, kind in self.registry.outputs.items() if not kind.publishes}
        self.faults.extend(completeness_faults(self.document.data, managing))
        alone = {name for name, kind in self.registry.outputs.items() if kind.alone}
        self.faults.extend(surplus_faults(self.document.data, alone))
        configuration = Configuration(
            path=path,
            core=core,
            defaults=(defaults or DefaultsTable()).value(),
            sources=sources,
            policies=policies,
            outputs=outputs,
        )
        return Reading(self.document, configuration, self.document.problems(self.faults))

    def _shaped(self) -> dict[str, Any]:
        """The sections, each of the kind that it must be; others are faults."""
        shaped: dict[str, Any] = {}
        for key, value in self.document.data.items():
            wanted = dict if key in _TABLES else list
            if key not in _SECTIONS:
                hint = whereabouts(key, value) or did_you_mean(key, _SECTIONS)
                self.faults.append(
                    Fault((key,), "unknown key", hint, Code.UNKNOWN_KEY, on_key=True)
                )
            elif not isinstance(value, wanted):
                must = "a table" if wanted is dict else "an array of tables"
                hint = "" if wanted is dict else "[[policies]]"
                self.faults.append(
                    Fault((key,), f"must be {must}, not {shown(value)}", hint, Code.WRONG_TYPE)
                )
            else:
                shaped[key] = value
        return shaped

    def _core(self, data: Mapping[str, Any]) -> Core:
        if "clusterf" not in self.document.data and not core_keys_elsewhere(self.document.data):
            self.faults.append(
                Fault(
                    (),
                    "missing table [clusterf]",
                    'managed = ["192.0.2.0/24"] in it says which VIPs are clusterf\'s',
                    Code.MISSING_KEY,
                    missing="clusterf",
                )
            )
        table = None
        if "clusterf" in data:
            table = self._table(CoreTable, ("clusterf",), data["clusterf"])
        if table is None:
            # Nothing can be said of what is managed, so nothing is outside of it.
            return Core(managed=_EVERYTHING, managed_fwmarks=range(2**32))
        core = table.value()
        self.faults.extend(fault.below(("clusterf",)) for fault in managed_faults(core))
        self.faults.extend(self._unmatched(core))
        return core

    def _unmatched(self, core: Core) -> Iterator[Fault]:
        """Names of plugins that are left out, and that nobody has."""
        hints = {one.name: one.hint for one in self.registry.unmatched if one.by == DISABLED_HERE}
        for index, name in enumerate(core.disable_plugins):
            if name in hints:
                at = ("clusterf", DISABLED_HERE, index)
                message = f"no plugin is called {shown(name)}"
                yield Fault(at, message, hints[name], Code.UNKNOWN_CHOICE).as_warning()

    def _table(self, model: type[S], at: KeyPath, data: Any) -> S | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for fault in faults_of(error, model, data):
                if fault.code == Code.UNKNOWN_KEY and len(fault.at) == 1:
                    hint = whereabouts(str(fault.at[0]), data[fault.at[0]]) or fault.hint
                    self.faults.append(replace(fault, hint=hint).below(at))
                else:
                    self.faults.append(fault.below(at))
            return None

    # --- instances -------------------------------------------------------------------------

    def _implicit(self, data: Mapping[str, Any]) -> Iterator[Instance[Any]]:
        """[services] and [routes] of this file: a source of type static."""
        inline = {key: data[key] for key in ("services", "routes") if key in data}
        if not inline:
            return
        kind = self.registry.sources.get(_STATIC)
        if kind is None:
            at = next(iter(inline))
            self.faults.append(
                Fault((at,), f'source type "{_STATIC}" is not loaded', code=Code.UNKNOWN_TYPE)
            )
            return
        settings = self._settings(kind.settings, SourceKeys, (), inline)
        if settings is not None:
            yield Instance(name=_IMPLICIT, type=kind, settings=settings)

    def _named(self, data: Mapping[str, Any], section: str) -> Iterator[Instance[Any]]:
        """[sources.NAME] or [outputs.NAME]."""
        types: Mapping[str, AnyType] = self.registry.outputs
        keys: type[Keys] = OutputKeys
        if section == "sources":
            types, keys = self.registry.sources, SourceKeys
        for name, table in data.get(section, {}).items():
            if (section, name) == ("sources", _IMPLICIT):
                message = "is the name of the source that [services] and [routes] here make"
                hint = "give it another name"
                at = (section, name)
                self.faults.append(Fault(at, message, hint, Code.CONTRADICTION, on_key=True))
            if instance := self._instance((section, name), f"{section}.{name}", table, types, keys):
                yield instance

    def _policies(self, tables: list[Any]) -> tuple[Instance[Any], ...]:
        found = (
            self._instance(
                ("policies", index), f"policies[{index}]", table, self.registry.policies, PolicyKeys
            )
            for index, table in enumerate(tables)
        )
        return tuple(instance for instance in found if instance is not None)

    def _instance(
        self,
        at: KeyPath,
        name: str,
        table: Any,
        types: Mapping[str, AnyType],
        model: type[Keys],
    ) -> Instance[Any] | None:
        """One instance; None if it is at fault or not enabled."""
        if not isinstance(table, dict):
            self.faults.append(
                Fault(at, f"must be a table, not {shown(table)}", code=Code.WRONG_TYPE)
            )
            return None
        owned = {key: value for key, value in table.items() if key in model.model_fields}
        keys = self._table(model, at, owned)
        kind = self._type((*at, "type"), owned.get("type"), types)
        if kind is None:
            return None
        rest = {key: value for key, value in table.items() if key not in owned}
        settings = self._settings(kind.settings, model, at, rest)
        if keys is None or settings is None or not keys.enabled:
            return None
        return Instance(
            name=name,
            type=kind,
            settings=settings,
            startup_error=startup_error(keys, kind),
            look=getattr(keys, "look", OutputKeys.model_fields["look"].default),
        )

    def _type(self, at: KeyPath, name: object, types: Mapping[str, AnyType]) -> AnyType | None:
        if not isinstance(name, str):
            return None  # missing, or no string: told with the other keys of the core
        kind = types.get(name)
        if kind is None:
            hint = self._absent(name) or did_you_mean(name, types)
            self.faults.append(Fault(at, f"unknown type {shown(name)}", hint, Code.UNKNOWN_TYPE))
        return kind

    def _absent(self, name: str) -> str:
        """A plugin that is not there and sounds as if it had the type, or nothing."""
        word = name.replace("-", "_")
        for disabled in self.registry.disabled:
            if word in disabled.name.replace("-", "_"):
                return f"the plugin {disabled.name} is disabled by {self._where(disabled)}"
        for failure in self.registry.failures:
            if word in Path(failure.origin).stem.replace("-", "_"):
                return f"the plugin {failure.origin} could not be loaded"
        return ""

    def _where(self, disabled: Disabled) -> str:
        """What leaves a plugin out, and in which line."""
        core = self.document.data.get("clusterf")
        names = core.get(DISABLED_HERE) if isinstance(core, dict) else None
        if disabled.by == DISABLED_HERE and isinstance(names, list) and disabled.said in names:
            at = ("clusterf", DISABLED_HERE, names.index(disabled.said))
            return f"{disabled.by} in line {self.document.place(at)[0]}"
        return disabled.by

    def _settings(
        self, settings: type[Settings], keys: type[Keys], at: KeyPath, rest: dict[str, Any]
    ) -> Settings | None:
        """The plugin's own part of a table."""
        found, faults = checked_settings(settings, rest, keys.model_fields)
        self.faults.extend(fault.below(at) for fault in faults)
        return found


def checked_settings(
    model: type[S], table: dict[str, Any], core: Collection[str]
) -> tuple[S | None, list[Fault]]:
    """What a plugin's part of a table makes, None if there are faults.

    ``core`` are the keys of the core that the whole table may have, too.
    """
    try:
        return model.model_validate(table), []
    except ValidationError as error:
        faults = faults_of(error, model, table)
    except Exception as error:  # noqa: BLE001 - a validator of a plugin may raise anything
        message = f"its settings cannot be checked: {type(error).__name__}: {error}"
        return None, [Fault((), message, "a bug in the plugin", Code.PLUGIN_FAILED)]
    names = {*model.model_fields, *core}
    for index, fault in enumerate(faults):
        if fault.code == Code.UNKNOWN_KEY and len(fault.at) == 1:
            faults[index] = replace(fault, hint=did_you_mean(fault.at[0], names))
    return None, faults


def startup_error(keys: Keys, kind: AnyType) -> Literal["fail", "retry"]:
    """What was chosen, or what suits: without its own world a director is of no use.

    What publishes waits, as sources do. Others are at the far end, and they may be away while a
    host starts that has more to do than to tell them.
    """
    publishes = isinstance(kind, OutputType) and kind.publishes
    if isinstance(keys, PolicyKeys) or (publishes and "startup_error" not in keys.model_fields_set):
        return "retry"
    return keys.startup_error
