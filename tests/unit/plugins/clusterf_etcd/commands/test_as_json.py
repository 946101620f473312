from __future__ import annotations

import json

from clusterf_etcd.commands.as_json import as_json
from clusterf_etcd.commands.picture import picture
from clusterf_etcd.wire import KeyValue
from tests.unit.plugins.clusterf_etcd.commands.given import entry


def shown(*entries: KeyValue) -> object:
    return json.loads(json.dumps(as_json(picture(entries, "/clusterf", "etcd"), {0x75AB: 8})))


def test_values_have_the_right_names_whatever_was_written() -> None:
    assert shown(
        entry("services/web/frontend", '{"IPV4":"192.0.2.1","Tcp":80,"colour":1}', revision=3),
        entry("services/web/backends/b1", '{"ipv4":"198.51.100.1","agent":"h"}', lease=0x75AB),
        entry("services/db/backends/b2"),
        entry("routes/r1", '{"Prefix4":"10.0.0.0/8","IpvsMethod":"masq"}'),
    ) == {
        "services": [
            {
                "name": "db",
                "frontend": None,
                "backends": [
                    {
                        "id": "b2",
                        "key": "/clusterf/services/db/backends/b2",
                        "revision": 7,
                        "lease": None,
                        "agent": None,
                        "value": {},
                    }
                ],
            },
            {
                "name": "web",
                "frontend": {
                    "key": "/clusterf/services/web/frontend",
                    "revision": 3,
                    "lease": None,
                    "agent": None,
                    "value": {"ipv4": "192.0.2.1", "tcp": 80},
                },
                "backends": [
                    {
                        "id": "b1",
                        "key": "/clusterf/services/web/backends/b1",
                        "revision": 7,
                        "lease": {"id": "00000000000075ab", "ttl": 8},
                        "agent": "h",
                        "value": {"ipv4": "198.51.100.1"},
                    }
                ],
            },
        ],
        "routes": [
            {
                "name": "r1",
                "key": "/clusterf/routes/r1",
                "revision": 7,
                "lease": None,
                "agent": None,
                "value": {"Prefix": "10.0.0.0/8", "IPVSMethod": "masq"},
            }
        ],
        "refused": [],
    }


def test_what_is_refused_has_its_reason() -> None:
    found = shown(entry("services/web/backends/b1", "x"), entry("\udcff"))
    assert isinstance(found, dict)
    [web] = found["services"]
    assert (web["name"], web["frontend"], web["backends"]) == ("web", None, [])
    assert [(one["key"], one["reason"]) for one in found["refused"]] == [
        ("/clusterf/services/web/backends/b1", "not_json"),
        (r"/clusterf/\xff", "bad_key"),
    ]
    assert all(one["detail"] for one in found["refused"])
