from __future__ import annotations

import pytest

from clusterf.model.errors import ClusterfError
from clusterf_etcd.commands.ending import Refused
from clusterf_etcd.commands.naming import named
from clusterf_etcd.commands.rm import refuse_leased, removals
from tests.unit.plugins.clusterf_etcd.commands.given import NOWHERE, entry, run

FRONTEND = entry("services/web/frontend")
B1, B2, B10 = (entry(f"services/web/backends/{name}", lease=5) for name in ("b1", "b2", "b10"))
R1 = entry("routes/r1")


def keys(word: str, *, whole: bool = False) -> list[str]:
    """What goes of a whole tree, as it is read for a word."""
    target = named([word], "/clusterf")
    tree = [FRONTEND, B2, B10, B1, R1, entry("nonsense/x")]
    below = [one for one in tree if one.key == target.key or one.key.startswith(f"{target.key}/")]
    return [edit.key.removeprefix("/clusterf/") for edit in removals(target, below, whole=whole)]


@pytest.mark.parametrize(
    ("word", "gone"),
    [
        ("web", ["services/web/frontend"]),
        ("services/web/frontend", ["services/web/frontend"]),
        ("services/web/backends/b1", ["services/web/backends/b1"]),
        ("routes/r1", ["routes/r1"]),
        ("nonsense/x", ["nonsense/x"]),
    ],
)
def test_one_key_goes(word: str, gone: list[str]) -> None:
    assert keys(word) == gone


def test_a_whole_service_goes_in_a_stable_order() -> None:
    assert keys("web", whole=True) == [
        "services/web/backends/b1",
        "services/web/backends/b10",
        "services/web/backends/b2",
        "services/web/frontend",
    ]


def test_a_folder_is_no_key() -> None:
    with pytest.raises(Refused, match="there are keys below it"):
        keys("services/web")


def test_a_service_without_a_frontend_has_none_to_remove() -> None:
    with pytest.raises(Refused) as told:
        removals(named(["web"], "/clusterf"), [B1], whole=False)
    assert str(told.value) == "service web has no frontend (hint: --all removes its backends)"


def test_removals_are_on_condition_of_what_was_seen() -> None:
    [edit] = removals(named(["web"], "/clusterf"), [FRONTEND], whole=False)
    assert (edit.seen, edit.value) == (FRONTEND, None)


def test_what_an_agent_would_write_again_is_refused() -> None:
    target = named(["web"], "/clusterf")
    refuse_leased(removals(target, [FRONTEND], whole=True))
    with pytest.raises(Refused) as told:
        refuse_leased(removals(target, [FRONTEND, B1._replace(value=b'{"agent":"h"}')], whole=True))
    assert str(told.value).startswith("/clusterf/services/web/backends/b1: agent h would write it ")


def test_of_many_leased_keys_some_are_named() -> None:
    many = [entry(f"services/web/backends/b{number}", lease=5) for number in range(9)]
    with pytest.raises(Refused, match=r"/b2 and 6 more: somebody .* would write them again"):
        refuse_leased(removals(named(["web"], "/clusterf"), many, whole=True))


@pytest.mark.parametrize(
    ("words", "code"),
    [(("routes/r1", "--all"), 2), (("web", "b1"), 2), (("/x/y",), 1), (("web",), 69)],
)
def test_how_it_ends_without_an_etcd(words: tuple[str, ...], code: int) -> None:
    with pytest.raises(ClusterfError) as ended:
        run("rm", *words, *NOWHERE)
    assert ended.value.exit_code == code
