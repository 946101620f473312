from __future__ import annotations

from clusterf.model.address import Address, Family, Network
from clusterf.model.scope import Scope
from clusterf.model.table import FwmarkKey, ServiceKey
from clusterf_addresses.planning import Rules, plan_addresses
from clusterf_addresses.world import Found, Link, World
from tests.unit.plugins.clusterf_addresses.desired import View, entry, key, serving

MANAGED = Scope((Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")))
RULES = Rules("lo", MANAGED, create=False)
VIP = "192.0.2.10"


def world(*found: tuple[str, int, str, bool], link: Link = Link.UP) -> World:
    addresses: dict[Address, tuple[Found, ...]] = {}
    for text, length, interface, ours in found:
        address = Address.parse(text)
        one = Found(address, length, interface, ours)
        addresses[address] = (*addresses.get(address, ()), one)
    return World(link=link, addresses=addresses)


OURS = (VIP, 32, "lo", True)


def planned(
    seen: World,
    desired: View,
    subjects: set[ServiceKey] | None = None,
    rules: Rules = RULES,
) -> list[str]:
    return [one.describe() for one in plan_addresses(rules, seen, desired, subjects)]


ADD = [f"ip address add {VIP}/32 dev lo"]
REMOVE = [f"ip address delete {VIP}/32 dev lo"]


def test_a_vip_that_can_serve_is_added() -> None:
    assert planned(world(), serving(VIP)) == ADD
    assert planned(world(), serving(VIP), {key(VIP)}) == ADD


def test_a_vip_that_is_there_is_left_alone() -> None:
    assert planned(world(OURS), serving(VIP)) == []


def test_a_vip_is_added_once_for_all_services_at_it() -> None:
    view = View({key(VIP, port): entry(VIP) for port in (80, 443)})
    view.kernel = dict(view.table)
    assert planned(world(), view) == ADD
    assert planned(world(), view, {key(VIP, 80), key(VIP, 443)}) == ADD


def test_a_vip_whose_data_plane_has_no_entry_yet_waits() -> None:
    assert planned(world(), View({key(VIP): entry(VIP)})) == []


def test_a_vip_without_a_live_destination_waits_but_is_not_removed() -> None:
    view = View({key(VIP): entry(VIP, weight=0)}, {key(VIP): entry(VIP, weight=0)})
    assert planned(world(), view) == []
    assert planned(world(OURS), view) == []


def test_a_vip_that_nobody_needs_is_removed() -> None:
    assert planned(world(OURS), View()) == REMOVE
    assert planned(world(OURS), View(), {key(VIP)}) == REMOVE


def test_a_vip_stays_while_the_data_plane_drains() -> None:
    assert planned(world(OURS), View(kernel={key(VIP): entry(VIP, weight=0)})) == []


def test_a_vip_stays_while_another_service_is_at_it() -> None:
    view = View({key(VIP, 443): entry(VIP, weight=0)})
    assert planned(world(OURS), view, {key(VIP, 80)}) == []


def test_nothing_is_removed_on_hold_but_added() -> None:
    view = serving("192.0.2.11")
    view.hold = "sources.etcd has not spoken yet"
    assert planned(world(OURS), view) == ["ip address add 192.0.2.11/32 dev lo"]


def test_a_preconfigured_address_is_never_removed() -> None:
    assert planned(world((VIP, 32, "lo", False)), View()) == []
    assert planned(world((VIP, 32, "lo", False)), View(), {key(VIP)}) == []


def test_an_address_that_this_host_has_from_somebody_else_is_not_added_again() -> None:
    assert planned(world((VIP, 24, "eth0", False)), serving(VIP)) == []
    assert planned(world((VIP, 24, "lo", False)), serving(VIP)) == []


def test_what_is_not_managed_is_never_touched() -> None:
    other = "198.51.100.1"
    assert planned(world(), serving(other)) == []
    assert planned(world((other, 32, "lo", True)), View()) == []


def test_a_change_of_one_subject_touches_no_other_vip() -> None:
    assert planned(world(OURS), View(), {key("192.0.2.11")}) == []


def test_a_firewall_mark_has_no_vip() -> None:
    mark = FwmarkKey(Family.INET, 7)
    view = View({mark: entry(VIP)}, {mark: entry(VIP)})
    assert planned(world(), view) == []
    assert planned(world(), view, {mark}) == []


def test_ipv6_is_a_host_address_that_the_host_does_not_speak_from() -> None:
    assert planned(world(), serving("2001:db8::10")) == [
        "ip address add 2001:db8::10/128 dev lo nodad preferred_lft 0"
    ]


def test_vips_move_to_another_interface_before_they_leave_the_old_one() -> None:
    rules = RULES._replace(interface="vips0")
    moved = ["ip address add 192.0.2.10/32 dev vips0", *REMOVE]
    assert planned(world(OURS), serving(VIP), rules=rules) == moved
    both = world(OURS, (VIP, 32, "vips0", True))
    assert planned(both, serving(VIP), rules=rules) == REMOVE
    held = serving(VIP)
    held.hold = "sources.etcd has not spoken yet"
    assert planned(world(OURS), held, rules=rules) == moved[:1]


def test_additions_come_before_removals() -> None:
    assert planned(world(OURS), serving("192.0.2.9")) == [
        "ip address add 192.0.2.9/32 dev lo",
        *REMOVE,
    ]


def test_a_missing_interface_is_made_when_a_vip_needs_it() -> None:
    rules = RULES._replace(interface="vips0", create=True)
    missing = world(link=Link.MISSING)
    assert planned(missing, View(), rules=rules) == []
    assert planned(missing, serving(VIP), rules=rules) == [
        "ip link add vips0 up type dummy",
        "ip address add 192.0.2.10/32 dev vips0",
    ]


def test_an_interface_that_is_down_is_raised_for_the_vips_it_has() -> None:
    rules = RULES._replace(interface="vips0", create=True)
    down = world((VIP, 32, "vips0", True), link=Link.DOWN)
    assert planned(down, serving(VIP), rules=rules) == ["ip link set vips0 up"]
    assert planned(world(link=Link.DOWN), View(), rules=rules) == []


def test_an_operation_names_the_entry_that_it_serves() -> None:
    [add] = plan_addresses(RULES, world(), serving(VIP), None)
    assert add.subject == key(VIP)
    assert add.reason() == "tcp 192.0.2.10:80 can serve"
    [remove] = plan_addresses(RULES, world(OURS), View(), {key(VIP)})
    assert remove.subject == key(VIP)
    assert remove.reason() == "no virtual service is at this VIP any more"
    [leftover] = plan_addresses(RULES, world(OURS), View(), None)
    assert leftover.subject is None
