"""``clusterf check`` for this plugin: every file, with the place of every problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from clusterf.plugin import (
    Code,
    Configured,
    ConfiguredInstance,
    Document,
    DocumentError,
    Fault,
    Problem,
    SourceUnavailable,
)
from clusterf_static.files import Kind, list_files
from clusterf_static.records import read_content
from clusterf_static.settings import StaticSettings
from clusterf_static.topology import Known, check_topology


def check_files(configuration: Configured, document: Document) -> list[Problem]:
    """All problems of the sources of this type; ``document`` is clusterf.toml itself."""
    problems: list[Problem] = []
    # In its own file the schema is checked with the configuration; what is right there is
    # looked at here also if something beside it is wrong.
    in_place = {
        key: value
        for key, value in document.data.items()
        if key in {"services", "routes"} and isinstance(value, dict)
    }
    known = [Known("services", document, (), read_content(in_place, "services"))]
    for instance in configuration.sources.values():
        if not isinstance(instance.settings, StaticSettings) or instance.name == "services":
            continue
        if instance.settings.path is None:
            at = tuple(instance.name.split(".", 1))
            content = read_content(instance.settings.inline(), instance.name)
            known.append(Known(instance.name, document, at, content))
            continue
        path = configuration.path.parent / instance.settings.path
        try:
            listing = list_files(path)
        except SourceUnavailable as error:
            problems.append(_unavailable(document, instance, str(error.args[0])))
            continue
        if listing.kind is Kind.DIRECTORY and not listing.files:
            problems.append(_unavailable(document, instance, f"{path}: no *.toml in it"))
        problems.extend(_read(instance.name, listing.files, known))
    problems.extend(check_topology(known, configuration))
    return problems


def _unavailable(document: Document, instance: ConfiguredInstance, message: str) -> Problem:
    """Whether the files are there is of the environment, so no error: they may come later."""
    fault = Fault((*instance.name.split(".", 1), "path"), message, code=Code.UNREADABLE)
    return document.problem(fault.as_warning())


def _read(source: str, files: Iterable[Path], known: list[Known]) -> Iterator[Problem]:
    first: dict[str, tuple[Document, str]] = {}
    for path in files:
        try:
            document = Document.read(path)
        except DocumentError as error:
            yield error.problem
            continue
        content = read_content(document.data, source, path.name)
        yield from document.problems(content.faults)
        for name in list(content.services):
            if name in first:
                line, _ = first[name][0].place(("services", name))
                yield document.problem(
                    Fault(
                        ("services", name),
                        "this service is in two files of one source",
                        f"{first[name][0].name}:{line} comes first and is used",
                        Code.DUPLICATE_SERVICE,
                        on_key=True,
                    )
                )
                del content.services[name]
            else:
                first[name] = (document, name)
        known.append(Known(source, document, (), content))
