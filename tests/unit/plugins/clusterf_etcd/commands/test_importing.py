from __future__ import annotations

import pytest

from clusterf_etcd.commands.importing import Fate, Step, count, describe, plan
from clusterf_etcd.commands.v2_tree import V2Key
from clusterf_etcd.wire import KeyValue
from tests.unit.plugins.clusterf_etcd.commands.given import entry

FRONTEND = V2Key("services/web/frontend", b'{"ipv4":"192.0.2.1","tcp":80}', None)
AGENTS = V2Key("services/web/backends/b1", b'{"ipv4":"198.51.100.1","tcp":80,"weight":10}', 8)


def step(one: V2Key, *have: KeyValue, overwrite: bool = False, everything: bool = False) -> Step:
    by_key = {seen.key: seen for seen in have}
    [found] = plan([one], by_key, "/clusterf", overwrite=overwrite, everything=everything)
    assert found.path == one.path
    return found


def here(value: str, *, lease: int = 0) -> KeyValue:
    return entry(FRONTEND.path, value, lease=lease)


def test_what_is_not_there_is_copied_as_it_is() -> None:
    found = step(FRONTEND)
    assert found.fate is Fate.COPIED
    assert found.edit == ("/clusterf/services/web/frontend", None, FRONTEND.value)


def test_it_goes_below_the_prefix_of_v3() -> None:
    [found] = plan([FRONTEND], {}, "/elsewhere")
    assert found.edit.key == "/elsewhere/services/web/frontend"


@pytest.mark.parametrize(
    "value", [FRONTEND.value.decode(), '{ "TCP": 80, "ipv4": "192.0.2.1", "colour": 1 }']
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_says_the_same_stays(value: str, overwrite: bool) -> None:  # noqa: FBT001 - a column
    assert step(FRONTEND, here(value), overwrite=overwrite).fate is Fate.SAME


def test_what_differs_stays_unless_it_is_to_be_exchanged() -> None:
    other = here('{"ipv4":"192.0.2.2","tcp":80}')
    assert step(FRONTEND, other).fate is Fate.KEPT
    found = step(FRONTEND, other, overwrite=True)
    assert found.fate is Fate.EXCHANGED
    assert found.edit.seen == other


def test_what_cannot_be_read_here_is_exchanged_like_the_rest() -> None:
    assert step(FRONTEND, here("{")).fate is Fate.KEPT
    assert step(FRONTEND, here("{"), overwrite=True).fate is Fate.EXCHANGED


def test_what_belongs_to_a_living_agent_is_never_exchanged() -> None:
    other = here('{"tcp":81,"agent":"host1"}', lease=5)
    found = step(FRONTEND, other, overwrite=True)
    assert (found.fate, found.why) == (Fate.KEPT, "it goes with the lease of agent host1")


def test_what_lives_for_a_time_is_its_agent_s() -> None:
    assert step(AGENTS).fate is Fate.LEFT_OUT
    assert "8 s" in step(AGENTS).why
    found = step(AGENTS, everything=True)
    assert (found.fate, found.why) == (Fate.COPIED, "here it stays for good")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services/web/frontend", b'{"ipv4":"192.0.2.300"}'),
        ("services/web/frontend", b"{"),
        ("services/web/frontend", b"\xed\xa0\x80"),
        ("services/web", b"{}"),
        ("services/a b/frontend", b"{}"),
        ("nonsense", b"{}"),
    ],
)
@pytest.mark.parametrize("everything", [False, True])
def test_what_cannot_be_read_is_not_copied(path: str, value: bytes, everything: bool) -> None:  # noqa: FBT001 - a column
    found = step(V2Key(path, value, None), overwrite=True, everything=everything)
    assert found.fate is Fate.REFUSED
    assert found.why


def test_old_names_are_copied_and_told() -> None:
    found = step(V2Key("routes/r", b'{"Prefix4":"10.0.0.0/8","Gateway4":"192.0.2.1"}', None))
    assert found.fate is Fate.COPIED
    assert found.why == "written as Prefix4 and Gateway4, which the original ignores since 0.5"


def test_how_it_is_told() -> None:
    steps = [
        step(FRONTEND),
        step(FRONTEND, here("{}")),
        step(FRONTEND, here("{}"), overwrite=True),
        step(FRONTEND, here(FRONTEND.value.decode())),
        step(AGENTS),
        step(V2Key("x\x1b", b"\x1b", None)),
        step(FRONTEND)._replace(fate=Fate.CHANGED),
    ]
    assert [text for text, _ in describe(steps)] == [
        "  + services/web/frontend",
        '      v2   {"ipv4":"192.0.2.1","tcp":80}',
        "  ! services/web/frontend kept: --overwrite exchanges it",
        "      here {}",
        '      v2   {"ipv4":"192.0.2.1","tcp":80}',
        "  ~ services/web/frontend",
        "      here {}",
        '      v2   {"ipv4":"192.0.2.1","tcp":80}',
        "  = services/web/frontend",
        "  . services/web/backends/b1 left out: it lives for 8 s more, its agent will publish it",
        r"  ! x\x1b not copied: " + steps[5].why,
        r"      v2   \x1b",
        "  ! services/web/frontend changed by somebody else in the meantime",
        '      v2   {"ipv4":"192.0.2.1","tcp":80}',
    ]
    assert count(steps) == (
        "1 copied, 1 exchanged, 1 there already, 1 left out, 1 kept, 1 not copied, "
        "1 changed by somebody else in the meantime"
    )
    assert count([]) == "no keys"


def test_what_remains_to_be_done() -> None:
    assert [fate for fate in Fate if not fate.done] == [Fate.KEPT, Fate.REFUSED, Fate.CHANGED]
