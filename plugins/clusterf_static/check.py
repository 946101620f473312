"""``clusterf check`` for this plugin: every file, with the place of every problem and record."""

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
    Foretold,
    Problem,
    SourceUnavailable,
    place_of,
)
from clusterf_static.consistency import consistency_faults
from clusterf_static.files import Kind, Listing, list_files
from clusterf_static.part import Part
from clusterf_static.records import read_content
from clusterf_static.settings import StaticSettings


def foretell(configuration: Configured, document: Document) -> Iterator[Foretold | Problem]:
    """Everything that sources of this type will publish; ``document`` is clusterf.toml itself."""
    # In its own file the schema is checked with the configuration; what is right there is
    # looked at here also if something beside it is wrong.
    in_place = {
        key: value
        for key, value in document.data.items()
        if key in {"services", "routes"} and isinstance(value, dict)
    }
    if in_place:
        part = Part("services", document, read_content(in_place, "services"))
        yield from _told(part, configuration)
    for instance in configuration.sources.values():
        if not isinstance(instance.settings, StaticSettings) or instance.name == "services":
            continue
        if instance.settings.path is None:
            at = place_of(instance)
            content = read_content(instance.settings.inline(), instance.name)
            yield from _told(Part(instance.name, document, content, at), configuration)
            continue
        path = configuration.path.parent / instance.settings.path
        try:
            listing = list_files(path)
        except SourceUnavailable as error:
            yield _unavailable(document, instance, str(error.args[0]))
            continue
        if listing.kind is Kind.DIRECTORY and not listing.files:
            yield _unavailable(document, instance, f"{path}: no *.toml in it")
        yield from _files(instance.name, listing, configuration)


def _unavailable(document: Document, instance: ConfiguredInstance, message: str) -> Problem:
    """Whether the files are there is of the environment, so no error: they may come later."""
    settings = instance.settings
    written = str(settings.path) if isinstance(settings, StaticSettings) else ""
    hint = ""
    if written.startswith("~"):
        hint = "~ stands for nobody's home here: write the whole path"
    elif any(sign in written for sign in "*?["):
        hint = "patterns are not expanded: of a folder all *.toml are read, so name the folder"
    fault = Fault((*place_of(instance), "path"), message, hint, Code.UNREADABLE)
    return document.problem(fault.as_warning())


def _files(
    source: str, listing: Listing, configuration: Configured
) -> Iterator[Foretold | Problem]:
    before = 0
    for one in _readable(source, listing.files):
        if isinstance(one, Problem):
            yield one
        else:
            yield from _told(one, configuration, before)
            before += len(one.content.services)


def _readable(source: str, files: Iterable[Path]) -> Iterator[Part | Problem]:
    """Each file that can be read, without the services that an earlier one has."""
    first: dict[str, Document] = {}
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
                line, _ = first[name].place(("services", name))
                yield document.problem(
                    Fault(
                        ("services", name),
                        "this service is in two files of one source",
                        f"{first[name].name}:{line} comes first and is used",
                        Code.DUPLICATE_SERVICE,
                        on_key=True,
                    )
                )
                del content.services[name]
            else:
                first[name] = document
        yield Part(source, document, content)


def _told(part: Part, configuration: Configured, after: int = 0) -> Iterator[Foretold | Problem]:
    """What one document foretells, and what is wrong with it beside the rest."""
    yield from part.document.problems(consistency_faults(part, configuration))
    yield Foretold(part.source, part.document, tuple(part.records(after)), part.place)
