"""A throw-away certificate authority for an engine that speaks TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab import process

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files under the names that Docker's own client expects in DOCKER_CERT_PATH."""

    directory: Path

    @property
    def ca(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def client(self) -> tuple[Path, Path]:
        """Certificate and key."""
        return self.directory / "cert.pem", self.directory / "key.pem"

    @property
    def server(self) -> tuple[Path, Path]:
        """Certificate and key."""
        return self.directory / "server-cert.pem", self.directory / "server-key.pem"


def make(directory: Path, *addresses: str) -> Certificates:
    """Make an authority, a server certificate for these IP addresses, and one for a client."""
    made = Certificates(directory)
    authority = ("-keyout", _authority_key(made), "-out", made.ca, "-subj", "/CN=lab authority")
    _openssl("-x509", *authority)
    issue(made, made.server, "/CN=engine", "serverAuth", *addresses)
    issue(made, made.client, "/CN=client", "clientAuth", *addresses)
    return made


def issue(
    made: Certificates, pair: tuple[Path, Path], subject: str, usage: str, *addresses: str
) -> None:
    """Write another certificate of the authority, and its key, to the paths of ``pair``."""
    names = ",".join(f"IP:{address}" for address in addresses)
    certificate, key = pair
    _openssl(
        *("-x509", "-CA", made.ca, "-CAkey", _authority_key(made)),
        *("-keyout", key, "-out", certificate, "-subj", subject),
        *("-addext", f"extendedKeyUsage={usage}", "-addext", f"subjectAltName={names}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
    )


def _authority_key(made: Certificates) -> Path:
    return made.directory / "ca-key.pem"


def _openssl(*arguments: str | Path) -> None:
    process.run(
        [
            *("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", *(str(argument) for argument in arguments)),
        ]
    )
