from __future__ import annotations

import json

from clusterf.engine.board import Board
from clusterf.engine.statements import BoardStatements
from clusterf.model.provenance import Provenance
from clusterf.model.service import BackendRef, Record, RouteRef
from clusterf.plugin import Among
from clusterf_etcd.wishes import Wishes
from tests.strategies import backend, frontend, route, spec

PREFIX = "/clusterf"
DOCKER = Provenance("sources.docker", "container 3f2a")


class Host:
    """A board with a docker source and an etcd source, and the wishes of its agent."""

    def __init__(self, *docker: Record, routes: bool = False) -> None:
        self.board = Board()
        self.board.arrange(["sources.etcd", "sources.docker"])
        self.docker = self.board.publisher("sources.docker", lambda: None)
        self.etcd = self.board.publisher("sources.etcd", lambda: None)
        self.docker.replace(docker)
        self.said = BoardStatements(self.board, dict)
        self.wishes = Wishes(PREFIX, "host1", Among(["docker"]), routes=routes)
        self.wishes.rebuild(self.said)

    @property
    def values(self) -> dict[str, object]:
        return {key: json.loads(wish.value) for key, wish in self.wishes.want.items()}


def test_backends_of_the_picked_sources_are_wanted_and_nothing_else() -> None:
    host = Host(spec("web", frontend()), backend("b1", 1, provenance=DOCKER))
    host.etcd.replace([backend("b2", 2), backend("b1", 9), route("r")])
    host.wishes.rebuild(host.said)
    assert host.values == {
        "/clusterf/services/web/backends/b1": {
            "ipv4": "198.51.100.1",
            "tcp": 8080,
            "agent": "host1",
        }
    }
    [wish] = host.wishes.want.values()
    assert wish.ref == BackendRef("web", "b1")
    assert wish.because == "sources.docker container 3f2a"


def test_a_quiesced_backend_has_weight_0() -> None:
    host = Host(backend("b1", quiesced="unhealthy"))
    [value] = host.values.values()
    assert isinstance(value, dict)
    assert (value["weight"], value["quiesced"]) == (0, "unhealthy")


def test_routes_are_wanted_when_asked_for() -> None:
    docker = [route("r", "198.51.100.0/24")]
    assert Host(*docker).values == {}
    host = Host(*docker, routes=True)
    assert list(host.values) == ["/clusterf/routes/r"]
    assert host.wishes.want["/clusterf/routes/r"].ref == RouteRef("r")


def test_one_service_is_brought_up_to_date() -> None:
    host = Host(backend("b1"), backend("b2"), backend("b1", service="api"))
    host.docker.replace([backend("b2", weight=3), backend("b3")])
    touched = host.wishes.update("web", host.said)
    base = "/clusterf/services/web/backends"
    assert touched == {f"{base}/b1", f"{base}/b2", f"{base}/b3"}
    # The other service was not asked for.
    assert set(host.values) == {
        f"{base}/b2",
        f"{base}/b3",
        "/clusterf/services/api/backends/b1",
    }
    assert host.wishes.update("api", host.said) == {"/clusterf/services/api/backends/b1"}
    assert set(host.values) == {f"{base}/b2", f"{base}/b3"}
    assert host.wishes.update("nobody", host.said) == set()


def test_what_cannot_be_a_key_is_told_and_the_rest_goes_on() -> None:
    host = Host(backend("a/b"), backend("b1"))
    assert list(host.values) == ["/clusterf/services/web/backends/b1"]
    [fault] = host.wishes.faults.values()
    assert fault.startswith("sources.test")
    assert "cannot be published: has a" in fault
    host.docker.replace([backend("b1")])
    host.wishes.update("web", host.said)
    assert host.wishes.faults == {}


def test_who_is_silent_is_told_if_it_is_picked() -> None:
    host = Host()
    assert host.wishes.unknown(host.said) is None
    host.board.arrange(["sources.etcd", "sources.docker", "sources.dockers"])
    wishes = Wishes(PREFIX, "host1", Among(["docker*"]), routes=False)
    assert wishes.unknown(host.said) == "sources.dockers has not spoken yet"
