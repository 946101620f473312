from __future__ import annotations

from clusterf.model.provenance import Provenance, Refusal


def test_provenance_names_source_and_place() -> None:
    assert str(Provenance("sources.docker", "container c1")) == "sources.docker container c1"
    assert str(Provenance("sources.docker")) == "sources.docker"


def test_a_refusal_is_one_sentence() -> None:
    refusal = Refusal("service web", "port_zero", "port 0 means all ports")
    assert str(refusal) == "service web: port 0 means all ports"
    full = refusal._replace(hint="set persistence", provenance=Provenance("sources.static", "l. 3"))
    assert str(full) == (
        "service web: port 0 means all ports (hint: set persistence) [sources.static l. 3]"
    )
