"""Container images made of the system's static busybox, without any registry."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
APPLETS = (
    *("sh", "cat", "hostname", "httpd", "ip", "kill", "ls", "mkdir", "nc", "rm", "sleep", "test"),
    *("touch", "wget"),
)

HTTP_PORT = 80
ECHO_PORT = 7

# HTTP answers with the container's host name, the echo port with what it gets. The length of
# busybox nc's backlog is the number of its -l; two would drop most of many connections at once.
_RESPONDER = f"""#!/bin/sh
mkdir -p /www
hostname > /www/index.html
nc -{"l" * 256} -p {ECHO_PORT} -e cat &
httpd -f -p {HTTP_PORT} -h /www &
# The first process of a container ignores the signals that it does not handle.
trap 'exit 0' TERM INT
wait
"""

CHANGES = (
    'CMD ["/responder"]',
    f"EXPOSE {HTTP_PORT} {ECHO_PORT}",
)

HEALTHCHECK = 'HEALTHCHECK --interval=1s --timeout=2s --retries=1 CMD ["test", "!", "-e", "/sick"]'
"""Healthy until somebody makes the file /sick in the container."""


def responder() -> bytes:
    """A root file system, as a tar archive for ``docker import``."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for directory in ("bin", "proc", "sys", "dev", "etc", "tmp"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        _file(tar, "bin/busybox", BUSYBOX.read_bytes())
        _file(tar, "responder", _RESPONDER.encode())
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return archive.getvalue()


def _file(tar: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.mode, entry.size = 0o755, len(content)
    tar.addfile(entry, io.BytesIO(content))
