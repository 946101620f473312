from __future__ import annotations

import pytest

from clusterf.model.service import BackendRef, Ref, RouteRef, ServiceRef
from clusterf_etcd.keys import KeyFault, key_of, plain_backend_names, ref_of, shown_key

P = "/clusterf"


@pytest.mark.parametrize(
    ("key", "ref"),
    [
        ("/services/web/frontend", ServiceRef("web")),
        ("/services/web/backends/b1", BackendRef("web", "b1")),
        ("/services/web/backends/[2001:db8::1]:80", BackendRef("web", "[2001:db8::1]:80")),
        ("/services/web/backends/" + "a" * 255, BackendRef("web", "a" * 255)),
        ("/services/" + "s" * 253 + "/frontend", ServiceRef("s" * 253)),
        ("/services/frontend/backends/backends", BackendRef("frontend", "backends")),
        ("/services/.a/backends/...", BackendRef(".a", "...")),
        ("/services/größe/backends/日本", BackendRef("größe", "日本")),
        ("/services/a\\b/frontend", ServiceRef("a\\b")),
        ("/routes/default", RouteRef("default")),
        ("/routes/services", RouteRef("services")),
    ],
)
@pytest.mark.parametrize("prefix", [P, "/a/b", ""])
def test_a_key_is_for_one_record(prefix: str, key: str, ref: Ref) -> None:
    found = ref_of(prefix + key, prefix)
    assert (type(found), found) == (type(ref), ref)
    assert key_of(ref, prefix) == prefix + key


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "is not below /clusterf"),
        ("/cluster", "is not below /clusterf"),
        (P, "is not below /clusterf"),
        ("/clusterf2/routes/r", "is not below /clusterf"),
        ("/clusterf2/services/a/backends/b", "is not below /clusterf"),
        (f"{P}/", "has an empty part"),
        (f"{P}//routes/r", "has an empty part"),
        (f"{P}/routes/", "has an empty part"),
        (f"{P}/services//frontend", "has an empty part"),
        (f"{P}/services//backends/b", "has an empty part"),
        (f"{P}/services/a/backends/", "has an empty part"),
        (f"{P}/services/../frontend", 'has ".." as a part'),
        (f"{P}/services/a/backends/..", 'has ".." as a part'),
        (f"{P}/services/./backends/b", 'has "." as a part'),
        (f"{P}/routes/.", 'has "." as a part'),
        (f"{P}/services", "is a value where a folder is expected"),
        (f"{P}/services/a", "is a value where a folder is expected"),
        (f"{P}/services/a/backends", "is a value where a folder is expected"),
        (f"{P}/routes", "is a value where a folder is expected"),
        (f"{P}/routes/a/b", "has a part too many"),
        (f"{P}/services/a/frontend/b", "has a part too many"),
        (f"{P}/services/a/backends/b/c", "has a part too many"),
        (f"{P}/services/a/backends/b/c/d/e/f", "has a part too many"),
        (f"{P}/services/a/backend/b", 'has "backend" where frontend or backends is expected'),
        (f"{P}/services/a/Frontend", 'has "Frontend" where frontend or backends is expected'),
        (f"{P}/Routes/a", 'has "Routes" where services or routes is expected'),
        (f"{P}/\x1b[2J", 'has "\\x1b[2J" where services or routes is expected'),
        (f"{P}/routes/a b", "has a route name with a space or a character that cannot be printed"),
        (f"{P}/routes/a\tb", "has a route name with a space or a character that cannot be printed"),
        (f"{P}/routes/a\u202eb", "has a route name with a space or a character"),
        (f"{P}/routes/a\u00a0b", "has a route name with a space or a character"),
        (f"{P}/services/a\0/frontend", "has a service name with a space or a character"),
        (f"{P}/services/a/backends/b\n", "has a backend name with a space or a character"),
        (f"{P}/services/a\n/backends/b", "has a service name with a space or a character"),
        (f"{P}/services/a/backends/\x7f", "has a backend name with a space or a character"),
        (f"{P}/services/a/backends/\udcff", "has a backend name that is not UTF-8"),
        (f"{P}/services/{'a' * 254}/frontend", "has a service name of more than 253 characters"),
        (f"{P}/services/{'a' * 254}/backends/b", "has a service name of more than 253 characters"),
        (f"{P}/services/a/backends/{'b' * 256}", "has a backend name of more than 255 characters"),
        (f"{P}/routes/{'r' * 256}", "has a route name of more than 255 characters"),
    ],
)
def test_what_is_no_key_is_told_why(key: str, words: str) -> None:
    with pytest.raises(KeyFault) as caught:
        ref_of(key, P)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "ref",
    [
        ServiceRef(""),
        ServiceRef("a/b"),
        ServiceRef("a/backends"),
        ServiceRef("a/backends/b"),
        BackendRef("a", "b/c"),
        BackendRef("a/b", "c"),
        BackendRef("..", "b"),
        RouteRef("a/b"),
        RouteRef("a b"),
        RouteRef("r" * 256),
    ],
)
def test_a_name_that_cannot_be_part_of_a_key_is_told(ref: Ref) -> None:
    with pytest.raises(KeyFault) as caught:
        key_of(ref, P)
    assert str(caught.value)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("/clusterf/routes/r", "/clusterf/routes/r"),
        ("/größe", "/größe"),
        ("/a b\0\x1b\n", r"/a\x20b\x00\x1b\x0a"),
        ("/\udcff\udc80", r"/\xff\x80"),
        ("/\u202e\ud800\U000e0001", r"/\u202e\ud800\U000e0001"),
    ],
)
def test_a_key_is_shown_escaped(key: str, shown: str) -> None:
    assert shown_key(key) == shown


def test_a_long_key_is_shown_shortened() -> None:
    shown = shown_key("/begin" + "x" * 10_000_000 + "end")
    assert len(shown) < 220
    assert shown.startswith("/beginx")
    assert shown.endswith("xend")


def test_plain_backends_are_told_without_a_look_at_the_parts() -> None:
    assert plain_backend_names(f"{P}/services/web/backends/b-1", P) == ("web", "b-1")
    for other in ("services/web/frontend", "routes/r", "services/ä/backends/b"):
        assert plain_backend_names(f"{P}/{other}", P) is None


def test_what_is_remembered_of_keys_has_a_bound_and_prefixes_have_none() -> None:
    prefix = "/p" * 1000
    assert plain_backend_names(f"{prefix}/services/web/backends/b1", prefix) == ("web", "b1")
    assert plain_backend_names(f"{prefix}/services/web/backends/b1", P) is None
    assert plain_backend_names(f"{P}/services/web/backends/b1", prefix) is None
    assert plain_backend_names(f"{P}/services/web/backends/{'b' * 255}", P) == ("web", "b" * 255)
    assert plain_backend_names(f"{P}/services/web/backends/{'b' * 256}", P) is None
