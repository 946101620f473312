from __future__ import annotations

from collections.abc import Iterator

from clusterf_import.keepalived.configuration import read
from clusterf_import.keepalived.lines import Source
from clusterf_import.places import Findings
from clusterf_import.services import Imported
from tests.unit.plugins.clusterf_import.keepalived.written import told

WEB = "virtual_server 192.0.2.1 80 {\nprotocol TCP\nreal_server 198.51.100.1 80 {\n}\n}\n"


def nowhere(pattern: str, folder: str) -> Iterator[Source]:
    raise AssertionError(f"{pattern} in {folder}")


def imported(text: str) -> tuple[Imported | None, list[str]]:
    findings = Findings()
    return read(Source("k.conf", "", text), "main", nowhere, findings), told(findings)


def test_groups_may_stand_behind_those_who_use_them() -> None:
    text = WEB.replace("192.0.2.1 80", "group g") + "virtual_server_group g {\n192.0.2.1 80\n}\n"
    found, messages = imported(text)
    assert messages == []
    assert found is not None
    assert [one.name for one in found.services] == ["g"]


def test_a_group_is_there_once() -> None:
    _, messages = imported("virtual_server_group g {\n192.0.2.1 80\n}\n" * 2)
    assert messages[1] == "4:1: error: there is a group g already; this one is left out"


def test_braces_that_do_not_match_take_everything_with_them() -> None:
    assert imported(WEB + "}")[0] is None
    assert imported("$A=$A\n$A\n" + WEB)[0] is None


def test_what_is_not_of_virtual_servers_is_told_in_one_line_each() -> None:
    _, messages = imported(
        "global_defs {\nrouter_id a\nsmtp_server b\nlvs_flush\nrouter_id c\n}\n"
        "vrrp_script s {\nscript x\n}\nuse_pid_dir\nbanana\n"
    )
    assert messages == [
        "1:1: warning: global_defs: not carried over: router_id, smtp_server",
        "4:1: warning: lvs_flush is not carried over",
        "7:1: warning: vrrp_script s is not carried over",
        "10:1: warning: use_pid_dir is not carried over",
        '11:1: warning: unknown keyword "banana", not carried over',
    ]


def test_addresses_of_vrrp_are_named_and_those_that_nobody_has_marked() -> None:
    found, _ = imported(
        WEB + "vrrp_instance VI_1 {\nvirtual_ipaddress {\n192.0.2.1/24 dev eth0\n192.0.2.2\n}\n"
        "virtual_ipaddress_excluded {\n2001:db8::1/64\n}\ntrack_interface {\neth0\n}\n}\n"
        "vrrp_instance VI_2 {\n}\n"
    )
    assert found is not None
    assert found.remarks[1:4] == [
        "  vrrp_instance VI_1 (k.conf:6): 192.0.2.1/24, 192.0.2.2 *, 2001:db8::1/64 *",
        "  vrrp_instance VI_2 (k.conf:18): no addresses",
        "(* of no service here: managed has to name it before one can have it)",
    ]


def test_without_vrrp_nothing_is_said_of_it() -> None:
    found, _ = imported(WEB)
    assert found is not None
    assert found.remarks == []
