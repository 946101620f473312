"""A small Docker engine over a Unix socket: enough of its API, and failures on demand.

The scenarios in conformance.py hold for it as for a real engine (tests/lab).
"""

from __future__ import annotations

import contextlib
import copy
import json
import queue
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

JSON = dict[str, Any]

HANG = "hang"
HTML = "html"
TRUNCATED = "truncated"
NOT_JSON = "not json"
ERROR = "500"
NOT_FOUND = "404"
CLOSE = "close"


def identifier(number: int) -> str:
    return f"{number:064x}"


def described(
    name: str, number: int = 1, *, labels: dict[str, str] | None = None, **changes: Any
) -> JSON:
    """Inspect JSON of a running container, as an engine gives it, with a few parts exchanged."""
    container: JSON = {
        "Id": identifier(number),
        "Name": f"/{name}",
        "State": {
            "Status": "running",
            "Running": True,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 4711,
            "ExitCode": 0,
            "StartedAt": "2030-01-01T00:00:00.000000001Z",
        },
        "Config": {
            "Labels": labels or {},
            "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
            "StopSignal": "SIGTERM",
        },
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {
            "Ports": {"80/tcp": None, "53/udp": None},
            "Networks": {
                "bridge": {
                    "IPAddress": f"203.0.113.{number}",
                    "GlobalIPv6Address": f"2001:db8:4::{number}",
                }
            },
        },
    }
    for path, value in changes.items():
        part = container
        *steps, last = path.split("__")
        for step in steps:
            part = part[step]
        part[last] = value
    return container


def network(name: str, number: int, *subnets: str, **changes: Any) -> JSON:
    """One network as an engine lists it, with a few fields exchanged."""
    return {
        "Name": name,
        "Id": f"{number:064x}",
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv6": any(":" in subnet for subnet in subnets),
        "IPAM": {
            "Driver": "default",
            "Options": None,
            "Config": [{"Subnet": subnet} for subnet in subnets],
        },
        "Internal": False,
        "ConfigOnly": False,
        "Containers": {},
        **changes,
    }


class FakeDocker:
    """Containers, networks, events to whoever subscribed, and what goes wrong.

    ``broken`` maps a pattern of paths to a failure. ``asked`` lists the paths of all requests.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self.containers: dict[str, JSON] = {}
        self.networks: dict[str, JSON] = {}
        self.broken: dict[str, str] = {}
        self.asked: list[str] = []
        self.version: JSON = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
        self.inspecting: threading.Event | None = None  # set: go on with the answer
        self.inspected = threading.Semaphore(0)  # released as each answer is made
        self._streams: list[queue.Queue[bytes | None]] = []
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._starts = 0
        self._made = 0
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._make_network("bridge", "203.0.113.0/25", "2001:db8:4::/64")
        self._make_network("host", Driver="host")
        self._make_network("none", Driver="null")
        self.open()

    # --- the daemon ----------------------------------------------------------------------------

    def open(self) -> None:
        self._over.clear()
        self._server = _Server(str(self.path), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._over.set()
        self.end_streams()
        self._server.shutdown()
        self._thread.join()
        self.path.unlink()
        self._server.server_close()
        self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def end_streams(self) -> None:
        with self._lock:
            for stream in self._streams:
                stream.put(None)
            self._streams.clear()

    # --- what users do ---------------------------------------------------------------------------

    def run(self, name: str, *, labels: dict[str, str] | None = None, **changes: Any) -> str:
        with self._lock:
            container = described(name, len(self.containers) + 2, labels=labels, **changes)
            self.containers[container["Id"]] = container
            self._start(container)
            return str(container["Id"])

    def stop(self, one: str) -> None:
        self.kill(one, str(self.containers[one]["Config"]["StopSignal"] or "SIGTERM"))
        self.die(one)
        self.event(one, "stop")

    def start(self, one: str) -> None:
        with self._lock:
            self._start(self.containers[one])

    def kill(self, one: str, signal: str) -> None:
        """Only tell of the signal; what it does is told by `die`."""
        numbers = {"SIGTERM": "15", "SIGKILL": "9", "SIGHUP": "1", "SIGQUIT": "3"}
        self.event(one, "kill", signal=numbers.get(signal, signal))

    def die(self, one: str) -> None:
        self.set(one, State__Status="exited", State__Running=False)
        self.event(one, "die", exitCode="0")

    def remove(self, one: str) -> None:
        self.event(one, "destroy")
        with self._lock:
            del self.containers[one]

    def pause(self, one: str) -> None:
        self.set(one, State__Status="paused")
        self.event(one, "pause")

    def unpause(self, one: str) -> None:
        self.set(one, State__Status="running")
        self.event(one, "unpause")

    def health(self, one: str, status: str) -> None:
        self.set(one, State__Health={"Status": status, "FailingStreak": 0, "Log": []})
        if status != "starting":
            self.event(one, f"health_status: {status}")

    def rename(self, one: str, name: str) -> None:
        self.set(one, Name=f"/{name}")
        self.event(one, "rename")

    def connect(self, one: str, network: str, ipv4: str) -> None:
        with self._lock:
            networks = self.containers[one]["NetworkSettings"]["Networks"]
            networks[network] = {"IPAddress": ipv4, "GlobalIPv6Address": ""}
        attributes = {"container": one, "name": network, "type": "bridge"}
        self.send({"Type": "network", "Action": "connect", "Actor": _actor("f" * 64, attributes)})

    def create_network(self, name: str, *subnets: str, **changes: Any) -> str:
        one = self._make_network(name, *subnets, **changes)
        self._tell_of_network(one, "create")
        return one

    def remove_network(self, one: str) -> None:
        self._tell_of_network(one, "destroy")
        with self._lock:
            del self.networks[one]

    def set(self, one: str, **changes: Any) -> None:
        """Exchange parts without a word to anybody."""
        with self._lock:
            for path, value in changes.items():
                part = self.containers[one]
                *steps, last = path.split("__")
                for step in steps:
                    part = part[step]
                part[last] = value

    def event(self, one: str, action: str, **attributes: str) -> None:
        with self._lock:
            container = self.containers[one]
            labels = container["Config"]["Labels"] or {}
            attributes = {"name": container["Name"].removeprefix("/"), **labels, **attributes}
        actor = _actor(one, attributes)
        self.send({"Type": "container", "Action": action, "Actor": actor, "scope": "local"})

    def send(self, answer: object) -> None:
        self.send_raw(json.dumps(answer).encode() + b"\n")

    def send_raw(self, data: bytes) -> None:
        with self._lock:
            for stream in self._streams:
                stream.put(data)

    def count(self, pattern: str) -> int:
        return sum(re.search(pattern, path) is not None for path in self.asked)

    def _make_network(self, name: str, *subnets: str, **changes: Any) -> str:
        with self._lock:
            self._made += 1
            made = network(name, 0xF000 + self._made, *subnets, **changes)
            self.networks[made["Id"]] = made
        return str(made["Id"])

    def _tell_of_network(self, one: str, action: str) -> None:
        attributes = {"name": self.networks[one]["Name"], "type": self.networks[one]["Driver"]}
        self.send({"Type": "network", "Action": action, "Actor": _actor(one, attributes)})

    def _start(self, container: JSON) -> None:
        self._starts += 1
        container["State"] |= {
            "Status": "running",
            "Running": True,
            "StartedAt": f"2030-01-01T00:00:00.{self._starts:09}Z",
        }
        self.event(container["Id"], "start")

    # --- requests --------------------------------------------------------------------------------

    def failure(self, path: str) -> str | None:
        return next((how for what, how in self.broken.items() if re.search(what, path)), None)

    def subscribe(self) -> queue.Queue[bytes | None]:
        stream: queue.Queue[bytes | None] = queue.Queue()
        with self._lock:
            self._streams.append(stream)
        return stream

    def wait_for_the_end(self) -> None:
        self._over.wait()

    def answer(self, path: str) -> tuple[int, object]:
        with self._lock:
            if path.endswith("/containers/json"):
                listed = [_summary(one) for one in self.containers.values()]
                return 200, [one for one in listed if one["State"] in {"running", "paused"}]
            if path.endswith("/networks"):
                return 200, copy.deepcopy(list(self.networks.values()))
            match = re.search(r"/containers/([^/]+)/json$", path)
            found = self.containers.get(match[1]) if match else None
            result = copy.deepcopy(found)
        if match is None:
            return 404, {"message": "page not found"}
        if self.inspecting is not None:
            self.inspected.release()
            self.inspecting.wait(10)
        if result is None:
            return 404, {"message": f"No such container: {match[1]}"}
        return 200, result


def _actor(identifier: str, attributes: dict[str, str]) -> JSON:
    return {"ID": identifier, "Attributes": attributes}


def _summary(container: JSON) -> JSON:
    return {
        "Id": container["Id"],
        "Names": [container["Name"]],
        "Labels": container["Config"]["Labels"],
        "State": container["State"]["Status"],
    }


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, fake: FakeDocker) -> None:
        self.fake = fake
        super().__init__(path, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class's name
        """Say nothing."""

    def address_string(self) -> str:
        return "unix"

    def do_GET(self) -> None:  # the base class's name
        fake, url = self.server.fake, urlsplit(self.path)
        path = unquote(url.path)
        fake.asked.append(path)
        failure = fake.failure(path)
        if failure is not None:
            self._fail(failure)
        elif path.endswith("/events"):
            self._stream(json.loads(parse_qs(url.query)["filters"][0]))
        elif path.endswith("/_ping"):
            self._reply(200, b"OK", "text/plain")
        elif path.endswith("/version"):
            self._reply(200, json.dumps(fake.version).encode())
        else:
            status, answer = fake.answer(path)
            self._reply(status, json.dumps(answer).encode())

    def _reply(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _fail(self, how: str) -> None:
        self.close_connection = True
        if how == HANG:
            self.server.fake.wait_for_the_end()
        elif how == HTML:
            self._reply(200, b"<html><body>It works!</body></html>", "text/html")
        elif how == TRUNCATED:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'[{"Id": "abc')
        elif how in {ERROR, NOT_FOUND}:
            self._reply(int(how), b'{"message": "something is wrong"}')
        elif how != CLOSE:
            self._reply(200, b"{" if how == NOT_JSON else how.encode())

    def _stream(self, filters: dict[str, list[str]]) -> None:
        stream = self.server.fake.subscribe()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        with contextlib.suppress(OSError):
            while (data := stream.get()) is not None:
                if _wanted(data, filters):
                    self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                    self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


def _wanted(data: bytes, filters: dict[str, list[str]]) -> bool:
    """As the engine filters: prefixes, because health_status is among the events."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        answer = json.loads(data)
        return answer["Type"] in filters["type"] and answer["Action"].startswith(
            tuple(filters["event"])
        )
    return True
