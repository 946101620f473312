"""The commands' side of the admin socket: blocking, and of the standard library only."""

from __future__ import annotations

import socket
from pathlib import Path

from clusterf.control.protocol import JSON, BadMessage, NotPermitted, decode, encode
from clusterf.model.errors import ClusterfError


class NotRunning(ClusterfError):
    """No daemon answers at the socket."""

    exit_code = 69


class Refused(ClusterfError):
    """The daemon answered no; it may say with which exit code the command shall end."""

    def __init__(self, message: str, *, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def ask(path: Path, request: JSON, *, timeout: float = 30.0) -> JSON:
    """Send one request and return the reply.

    Raises:
        NotPermitted: the socket is another user's.
        NotRunning: nobody listens, or the answer does not come within ``timeout`` seconds.
        Refused: the daemon refused the request.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(str(path))
            connection.sendall(encode(request))
            with connection.makefile("rb") as stream:
                line = stream.readline()
            if not line:
                raise ConnectionResetError("closed before it answered")
            reply = decode(line)
    except PermissionError as error:
        raise NotPermitted(f"{path}: {error.strerror}", hint="run this as root") from error
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunning(
            f"no clusterf is running at {path}", hint="start it with clusterf run"
        ) from error
    except (OSError, BadMessage) as error:
        raise NotRunning(f"{path}: {error}") from error
    if "error" in reply:
        raise Refused(
            str(reply["error"]),
            hint=str(reply.get("hint", "")),
            exit_code=int(reply.get("exit_code", 1)),
        )
    return reply
