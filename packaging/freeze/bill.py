"""The bill of materials: what is inside the executable, in CycloneDX's JSON.

Distributions of Python come from the metadata of the environment that built it, shared libraries
of the host from dpkg where that knows them. The same inputs give the same text: there is no time
in it, and the serial number is made of the contents.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from freeze import contents

BOOTLOADER = "pyinstaller"

_FILE = "clusterf:file"
"""Name of a property: a file of the executable that the component is the origin of."""

_TROVE = "License :: OSI Approved :: "


def listing(one_file: Path, libraries: Mapping[str, str]) -> str:
    """The bill as text. ``libraries``: names of shared libraries inside, and their origins."""
    bom = Bom()
    application = _python_library(
        contents.installed(contents.APPLICATION), ComponentType.APPLICATION
    )
    digest = hashlib.sha256(one_file.read_bytes()).hexdigest()
    application.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    bom.metadata.component = application
    components = {contents.APPLICATION: application}
    for one in contents.inside():
        name = canonicalize_name(one.name)
        if name not in components:
            components[name] = _python_library(one)
            bom.components.add(components[name])
    for one in contents.inside():
        needs = {canonicalize_name(other.name) for other in contents.requirements_of(one)}
        known = [components[name] for name in sorted(needs & components.keys())]
        bom.register_dependency(components[canonicalize_name(one.name)], known)
    bom.components.update([_interpreter(), _python_library(contents.installed(BOOTLOADER))])
    bom.components.update(_shared_libraries(libraries))
    return _text(bom)


def _text(bom: Bom) -> str:
    # The library stamps every bill with the hour and a number at random.
    bom.serial_number = uuid.UUID(int=0)
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    content = json.loads(outputter.output_as_string())
    content["metadata"].pop("timestamp", None)
    body = json.dumps(content, sort_keys=True)
    content["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, body).urn
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _python_library(one: Distribution, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    purl = PackageURL("pypi", name=canonicalize_name(one.name), version=one.version)
    return Component(
        type=kind,
        name=one.name,
        version=one.version,
        description=one.metadata["Summary"],
        licenses=list(_licenses(one)),
        purl=purl,
        bom_ref=str(purl),
    )


def _licenses(one: Distribution) -> Iterator[License | LicenseExpression]:
    """As an expression (PEP 639), else by classifiers, else as the author has put it."""
    if expression := one.metadata["License-Expression"]:
        yield LicenseFactory().make_from_string(expression)
        return
    classified = [
        classifier.removeprefix(_TROVE)
        for classifier in one.metadata.get_all("Classifier", [])
        if classifier.startswith(_TROVE)
    ]
    for name in classified or [(one.metadata["License"] or "unknown").splitlines()[0]]:
        yield LicenseFactory().make_with_name(name)


def _interpreter() -> Component:
    purl = PackageURL("generic", name="cpython", version=platform.python_version())
    return Component(
        type=ComponentType.PLATFORM,
        name="CPython",
        version=platform.python_version(),
        licenses=[LicenseFactory().make_from_string("Python-2.0")],
        purl=purl,
        bom_ref=str(purl),
    )


def _shared_libraries(libraries: Mapping[str, str]) -> Iterator[Component]:
    """One component for each package of the host that libraries are from, and for other files."""
    files: dict[tuple[str, str, str], list[str]] = {}
    for name, origin in sorted(libraries.items()):
        files.setdefault(_package(Path(origin)), []).append(name)
    for (package, version, architecture), names in sorted(files.items()):
        purl = None
        if version:
            purl = PackageURL("deb", "debian", package, version, {"arch": architecture})
        yield Component(
            name=package,
            version=version or None,
            purl=purl,
            bom_ref=str(purl or package),
            properties=[Property(name=_FILE, value=name) for name in names],
        )


def _package(origin: Path) -> tuple[str, str, str]:
    """Name, version and architecture of the Debian package; of other files the name alone."""
    if shutil.which("dpkg-query") is not None:
        # Since /lib is a link to /usr/lib, dpkg may know a file by either name.
        for path in dict.fromkeys([origin, origin.resolve(), Path("/lib", *origin.parts[3:])]):
            found = _dpkg("--search", str(path))
            if found:
                package = found.partition(": ")[0].partition(",")[0]
                shown = "${Package} ${Version} ${Architecture}"
                name, version, architecture = _dpkg("--show", "-f", shown, package).split()
                return name, version, architecture
    return origin.name, "", ""


def _dpkg(*words: str) -> str:
    """What dpkg-query says; nothing where it does not know."""
    return subprocess.run(
        ["dpkg-query", *words], capture_output=True, text=True, check=False
    ).stdout


def libraries_of(work: Path) -> dict[str, str]:
    """What the spec has noted of shared libraries, but for those of Python's own distributions."""
    noted: dict[str, str] = json.loads((work / "clusterf" / "libraries.json").read_text("utf-8"))
    return {name: origin for name, origin in noted.items() if "/" not in name}
