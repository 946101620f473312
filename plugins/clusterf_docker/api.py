"""The engine's API through the docker SDK.

Everything here blocks and is called in threads. Whatever goes wrong becomes `SourceUnavailable`,
or, where it is about one container, a `Failed`.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

import docker.constants
import docker.errors
import docker.tls
import requests
from docker.api.client import APIClient
from docker.utils import version_lt

from clusterf.plugin import SourceUnavailable
from clusterf_docker import event
from clusterf_docker.answer import ID
from clusterf_docker.failure import FAILURES, Nonsense, sentence, translated
from clusterf_docker.labels import concerns
from clusterf_docker.state import Answer, Failed, Inspection, Missing
from clusterf_docker.unix import UnixAdapter

OLDEST_API = "1.24"
NEWEST_API = docker.constants.DEFAULT_DOCKER_API_VERSION
"""Newest version that is spoken: the one that the SDK was made for."""

_LONGEST_EVENT = 2**20
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_GONE = "no such container"


class TLSFiles(NamedTuple):
    """Paths of the certificates; None where there is none."""

    ca: Path | None
    cert: Path | None
    key: Path | None


class Engine:
    """A connection to one engine. Its methods may be called from several threads at once."""

    def __init__(self, host: str, tls: TLSFiles | None, timeout: float) -> None:
        """Connect and agree on a version of the API.

        Raises:
            SourceUnavailable: with a hint where there is one.
        """
        self.host = host
        self._timeout = timeout
        with translated(f"docker engine {host}", timeout):
            # With a version given the SDK asks nothing at its construction, so that
            # everything that can fail fails where the session can still be closed.
            first = _client(host, tls, timeout, OLDEST_API)
            try:
                answer = first.version(api_version=False)
                self.version, self.api_version = _versions(host, answer)
            finally:
                first.close()
            self._client = _client(host, tls, timeout, self.api_version)

    def ours(self) -> list[str]:
        """Ids of the running containers that have one of our labels.

        Raises:
            SourceUnavailable: no usable answer.
        """
        with translated(f"docker engine {self.host}: list of containers", self._timeout):
            return [
                one for one, container in _listed(self._client.containers()) if _ours(container)
            ]

    def networks(self) -> dict[str, object]:
        """All networks by their ids, each as the engine describes it.

        Raises:
            SourceUnavailable: no usable answer.
        """
        with translated(f"docker engine {self.host}: list of networks", self._timeout):
            return dict(_listed(self._client.networks()))

    def inspect(self, identifier: str) -> Inspection:
        """Look at one container.

        Raises:
            SourceUnavailable: the engine as a whole does not answer.
        """
        try:
            return Answer(self._client.inspect_container(identifier))
        except docker.errors.APIError as error:
            explanation = str(error.explanation).lower()
            if error.status_code == 404 and (_GONE in explanation or identifier in explanation):
                return Missing()
            return Failed(f"the engine answers {sentence(error, self._timeout)}")
        except FAILURES as error:
            # An engine may hang or stumble on one container and answer for all others.
            self.ping()
            return Failed(f"no usable answer: {sentence(error, self._timeout)}")

    def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            SourceUnavailable: there is none.
        """
        with translated(f"docker engine {self.host}", self._timeout):
            self._client.ping()

    def events(self, *, networks: bool) -> EventStream:
        """Subscribe. What happens from now on is in the stream; ``networks``: theirs too.

        Raises:
            SourceUnavailable: the engine does not answer, or not with a stream.
        """
        where = f"docker engine {self.host}: events"
        with translated(where, self._timeout):
            # Not the SDK's own events(): it has no time-out for an engine that never answers.
            response = self._client.get(
                f"{self._client.base_url}/v{self.api_version}/events",
                params={"filters": json.dumps(event.filters(networks=networks))},
                stream=True,
                timeout=self._timeout,
            )
            try:
                return EventStream(where, response)
            except BaseException:
                response.close()
                raise

    def close(self) -> None:
        """Let go of idle connections."""
        self._client.close()


class EventStream:
    """Events as they come; `read` in one thread, `close` from any other."""

    def __init__(self, where: str, response: requests.Response) -> None:
        self._where = where
        self._response = response
        if response.status_code != 200:
            raise Nonsense(f"the engine answers {response.status_code}")
        if not getattr(response.raw, "chunked", False):
            raise Nonsense("the answer is not a stream")
        self._socket = _socket(response)
        # The time-out was for the first answer: a quiet engine is a healthy one.
        self._socket.settimeout(None)
        self._lock = threading.Lock()
        self._closed = False
        self._reading = False

    def read(self, deliver: Callable[[object], None]) -> None:
        """Hand over each event until the stream ends; returns only after `close`.

        Raises:
            SourceUnavailable: it ended, or carries something else than events.
        """
        with self._lock:
            self._reading = True
        try:
            with translated(self._where, 0):
                for answer in self._answers():
                    deliver(answer)
                raise Nonsense("the stream ended")
        except SourceUnavailable:
            if not self._closed:
                raise
        finally:
            self._response.close()

    def close(self) -> None:
        """End the stream. May be called more than once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            if not self._reading:
                self._response.close()

    def _answers(self) -> Iterator[object]:
        rest = b""
        for chunk in self._response.iter_content(chunk_size=None):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield json.loads(line)
            if len(rest) > _LONGEST_EVENT:
                raise Nonsense("the stream has no ends of lines")


def _client(host: str, tls: TLSFiles | None, timeout: float, version: str) -> APIClient:
    config: docker.tls.TLSConfig | bool = False
    if tls is not None:
        pair = (str(tls.cert), str(tls.key)) if tls.cert and tls.key else None
        config = docker.tls.TLSConfig(
            client_cert=pair, ca_cert=str(tls.ca) if tls.ca else None, verify=True
        )
    seconds = cast("int", timeout)  # the stubs want whole ones; requests any
    client = APIClient(base_url=host, version=version, timeout=seconds, tls=config)
    # The configuration alone says what is trusted: requests would let REQUESTS_CA_BUNDLE win
    # over the authority given here, and send the API through HTTP_PROXY.
    client.trust_env = False
    if host.startswith("unix://"):
        client.mount("http+docker://", UnixAdapter(f"http+{host}", seconds))
    return client


def _versions(host: str, answer: object) -> tuple[str, str]:
    """The engine's own version, and the version of the API to speak with it."""
    if not isinstance(answer, dict):
        raise Nonsense("the answer about its version is not an object")
    newest, oldest = (
        _version(answer, "ApiVersion", ""),
        _version(answer, "MinAPIVersion", OLDEST_API),
    )
    if version_lt(newest, OLDEST_API):
        raise SourceUnavailable(
            f"docker engine {host}: speaks API {newest} at most",
            hint=f"at least {OLDEST_API} is needed: Docker 1.12 or later",
        )
    spoken = newest if version_lt(newest, NEWEST_API) else NEWEST_API
    if version_lt(spoken, oldest):
        spoken = oldest
    return str(answer.get("Version", "unknown"))[:40], spoken


def _version(answer: dict[str, object], key: str, default: str) -> str:
    text = answer.get(key) or default
    if not isinstance(text, str) or not _VERSION.fullmatch(text):
        raise Nonsense(f"the answer about its version has no usable {key}")
    return text


def _listed(answer: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Entries of a list of containers or networks, with their ids."""
    if not isinstance(answer, list):
        raise Nonsense("the answer is not a list")
    for one in answer:
        identifier = one.get("Id") if isinstance(one, dict) else None
        if not isinstance(identifier, str) or not ID.fullmatch(identifier):
            raise Nonsense("an entry of the list has no id")
        yield identifier, one


def _ours(container: dict[str, object]) -> bool:
    labels = container.get("Labels")
    return isinstance(labels, dict) and concerns(labels)


def _socket(response: requests.Response) -> socket.socket:
    """The connection that a streamed response is read from."""
    connection = response.raw.connection
    found = connection.sock if connection is not None else None
    if found is None:
        # http.client lets go of the socket early where the server will close the connection.
        reader = getattr(response.raw._fp, "fp", None)  # noqa: SLF001 - as the SDK itself finds it
        found = getattr(getattr(reader, "raw", None), "_sock", None)
    if found is None:
        raise Nonsense("the stream has no connection")
    return found
