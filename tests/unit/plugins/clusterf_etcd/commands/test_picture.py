from __future__ import annotations

import random

from clusterf_etcd.commands.picture import Picture, picture
from clusterf_etcd.wire import KeyValue
from tests.unit.plugins.clusterf_etcd.commands.given import entry

TREE = [
    entry("routes/r2", '{"Prefix":"203.0.113.0/26","IPVSMethod":"masq"}'),
    entry("services/db/backends/b1", '{"ipv4":"198.51.100.1","tcp":5432}'),
    entry("services/web/frontend", '{"ipv4":"192.0.2.10","tcp":80}'),
    entry("services/web/backends/b2", '{"ipv4":"198.51.100.2","tcp":80,"agent":"host1"}', lease=5),
    entry("services/web/backends/b1", '{"ipv4":"198.51.100.1","tcp":80}'),
    entry("services/web/backends/bad", "nonsense"),
    entry("services/gone/frontend", '{"tcp":70000}'),
    entry("routes/r1", "{}"),
    entry("nonsense", "{}"),
    entry("routes/bad", "[]"),
]


def read(entries: list[KeyValue]) -> Picture:
    return picture(entries, "/clusterf", "etcd")


def test_everything_is_where_people_look_for_it() -> None:
    shown = read(TREE)
    assert [service.name for service in shown.services] == ["db", "gone", "web"]
    db, gone, web = shown.services
    assert db.frontend is None
    assert [one.record.id for one in db.backends] == ["b1"]
    assert web.frontend is not None
    assert web.frontend.record.name == "web"
    assert [(one.record.id, one.agent, one.entry.lease) for one in web.backends] == [
        ("b1", "", 0),
        ("b2", "host1", 5),
    ]
    assert [one.entry.key for one in web.unread] == ["/clusterf/services/web/backends/bad"]
    assert [one.refusal.reason for one in gone.unread] == ["bad_value"]
    assert [one.record.name for one in shown.routes] == ["r1", "r2"]
    assert [one.entry.key for one in shown.unread] == ["/clusterf/nonsense", "/clusterf/routes/bad"]


def test_the_order_is_always_the_same() -> None:
    shuffled = TREE.copy()
    random.Random(1).shuffle(shuffled)  # noqa: S311 - any order will do
    assert read(shuffled) == read(TREE)


def test_what_is_refused_is_counted_once() -> None:
    assert [one.entry.key.removeprefix("/clusterf/") for one in read(TREE).refused] == [
        "services/gone/frontend",
        "services/web/backends/bad",
        "nonsense",
        "routes/bad",
    ]


def test_an_empty_tree() -> None:
    assert read([]) == Picture()
