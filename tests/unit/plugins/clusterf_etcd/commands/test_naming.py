from __future__ import annotations

import pytest

from clusterf.model.errors import ClusterfError
from clusterf.model.service import BackendRef, Ref, RouteRef, ServiceRef
from clusterf_etcd.commands.naming import Named, named, not_there, record_key, record_ref

P = "/clusterf"


@pytest.mark.parametrize(
    ("words", "key", "ref"),
    [
        (["web"], "services/web/frontend", ServiceRef("web")),
        (["route"], "services/route/frontend", ServiceRef("route")),
        (["services"], "services/services/frontend", ServiceRef("services")),
        (["route", "r1"], "routes/r1", RouteRef("r1")),
        (["routes/r1"], "routes/r1", RouteRef("r1")),
        (["services/web/frontend"], "services/web/frontend", ServiceRef("web")),
        (["services/web/backends/b1/"], "services/web/backends/b1", BackendRef("web", "b1")),
        (["/clusterf/routes/r1"], "routes/r1", RouteRef("r1")),
    ],
)
def test_words_name_a_record(words: list[str], key: str, ref: Ref) -> None:
    target = named(words, P)
    assert record_key(target) == f"{P}/{key}"
    assert record_ref(target, P) == ref


@pytest.mark.parametrize(
    ("word", "key", "service"),
    [
        ("web", "/clusterf/services/web", "web"),
        ("routes/", "/clusterf/routes", None),
        ("services/web/backends", "/clusterf/services/web/backends", None),
        ("/clusterf", "/clusterf", None),
        ("/clusterf/", "/clusterf", None),
        ("x/y", "/clusterf/x/y", None),
        ("x/\udcff", "/clusterf/x/\udcff", None),
    ],
)
def test_a_word_names_what_is_below_it(word: str, key: str, service: str | None) -> None:
    assert named([word], P) == Named(key, service)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["a b"], 1),
        ([".."], 1),
        ([""], 1),
        (["route", "a/b"], 1),
        (["/other/services/web/frontend"], 1),
        (["/clusterfoo/x"], 1),
        (["/"], 1),
        (["web", "b1"], 2),
        (["route", "a", "b"], 2),
        ([], 2),
    ],
)
def test_what_names_nothing_is_refused(words: list[str], code: int) -> None:
    with pytest.raises(ClusterfError) as told:
        named(words, P)
    assert told.value.exit_code == code


@pytest.mark.parametrize("word", ["services/web", "services/", "x/y", "routes/a/b", "/clusterf"])
def test_not_every_key_is_that_of_a_record(word: str) -> None:
    with pytest.raises(ClusterfError) as told:
        record_ref(named([word], P), P)
    assert told.value.exit_code == 1


def test_things_are_called_as_people_call_them() -> None:
    assert str(named(["web"], P)) == "service web"
    assert str(named(["x/\x1b"], P)) == r"/clusterf/x/\x1b"


CONTAINER = "3f2a" * 16


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("services/web/backends/3f2a", f'did you mean "{CONTAINER}"?'),
        ("services/web/backends/statik", 'did you mean "static"?'),
        ("services/web/backends/zzzzzzz", "clusterf etcd get lists what is"),
    ],
)
def test_what_is_near_is_named(word: str, hint: str) -> None:
    folder = "/clusterf/services/web/backends"
    refused = not_there(named([word], P), [f"{folder}/{CONTAINER}", f"{folder}/static"])
    assert refused.hint == hint


def test_of_services_the_names_count() -> None:
    keys = ["/clusterf/services/web/frontend", "/clusterf/services/web/backends/wbx"]
    assert str(not_there(named(["wbe"], P), keys)) == (
        'service wbe is not there (hint: did you mean "web"?)'
    )
