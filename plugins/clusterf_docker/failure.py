"""What goes wrong in the docker SDK and the libraries below it, in our words.

The only place that translates their exceptions.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator

import docker.errors
import requests
import urllib3.exceptions

from clusterf.plugin import SourceUnavailable


class Nonsense(Exception):
    """An answer that is not what the API promises."""


FAILURES = (
    Nonsense,
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
    RecursionError,
    # What the SDK makes of answers whose shape it takes for granted.
    TypeError,
    KeyError,
    AttributeError,
)
TIMEOUTS = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)


@contextlib.contextmanager
def translated(what: str, timeout: float) -> Iterator[None]:
    """Turn any of the libraries' failures into `SourceUnavailable` about ``what``."""
    try:
        yield
    except SourceUnavailable:
        raise
    except FAILURES as error:
        raise SourceUnavailable(f"{what}: {sentence(error, timeout)}", hint=_hint(error)) from error


def sentence(error: BaseException, timeout: float) -> str:
    """What happened, in one line for people."""
    system = _system(error)
    if system is not None and not isinstance(system, TimeoutError):
        # Looked for first: urllib3 counts a refused connection among the time-outs.
        text = system.strerror or repr(system)
    elif any(isinstance(one, TIMEOUTS) for one in _chain(error)):
        return f"no answer within {timeout:g} s"
    elif isinstance(error, docker.errors.APIError):
        text = f"{error.status_code}: {error.explanation}"
    elif isinstance(error, requests.exceptions.JSONDecodeError | json.JSONDecodeError):
        text = "the answer is not JSON"
    else:
        text = str(error) or repr(error)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = text if len(text) <= 200 else f"{text[:197]}..."
    return text[:1].lower() + text[1:]


def _hint(error: BaseException) -> str:
    system = _system(error)
    if isinstance(system, PermissionError):
        return "run as root or as a member of the group docker"
    if isinstance(system, FileNotFoundError):
        return "is Docker installed and running? the setting host names its socket"
    if isinstance(system, ConnectionRefusedError):
        return "is Docker running and listening there? the setting host names its socket"
    if any(isinstance(one, requests.exceptions.SSLError) for one in _chain(error)):
        return "the setting tls names authority, certificate and key"
    return ""


def _system(error: BaseException) -> OSError | None:
    """The error of the operating system below an error of the libraries."""
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno is not None and one.strerror:
            return one
    return None


def _chain(error: BaseException) -> list[BaseException]:
    """An exception with all that caused it: the libraries put causes into arguments as well."""
    chain: list[BaseException] = []
    pending: list[object] = [error]
    while pending and len(chain) < 32:
        one = pending.pop(0)
        if isinstance(one, BaseException) and one not in chain:
            chain.append(one)
            pending += [*one.args, one.__cause__, one.__context__, getattr(one, "reason", None)]
    return chain
