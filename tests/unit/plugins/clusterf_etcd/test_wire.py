from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clusterf_etcd import wire
from clusterf_etcd.answers import entries
from clusterf_etcd.wire import KeyValue


def decoded(request: Any) -> Any:
    """A request as etcd reads it."""
    return json.loads(wire.body(request))


def key(text: str) -> bytes:
    return base64.b64decode(text)


@given(st.binary())
def test_any_key_goes_there_and_back(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    assert key(wire.text64(text)) == raw
    [entry] = entries([{"key": base64.b64encode(raw).decode(), "mod_revision": "1"}])
    assert entry == KeyValue(text, b"", 1, 0)


@given(st.binary())
def test_any_value_goes_there_and_back(raw: bytes) -> None:
    assert key(wire.bytes64(raw)) == raw


def test_a_range_begins_below_the_prefix_and_ends_behind_it() -> None:
    first = decoded(wire.range_request("/clusterf", 10, after=None, revision=0))
    assert key(first["key"]) == b"/clusterf/"
    assert key(first["range_end"]) == b"/clusterf0"
    assert first["limit"] == "10"
    assert "revision" not in first
    following = decoded(wire.range_request("/clusterf", 10, after="/clusterf/\udcff", revision=7))
    assert key(following["key"]) == b"/clusterf/\xff\0"
    assert key(following["range_end"]) == b"/clusterf0"
    assert following["revision"] == "7"


def test_a_watch_asks_for_fragments_and_for_progress() -> None:
    create = decoded(wire.watch_request("/clusterf", 5))["create_request"]
    assert create["fragment"] is create["progress_notify"] is True
    assert create["start_revision"] == "5"
    assert key(create["range_end"]) == b"/clusterf0"
    assert "start_revision" not in wire.watch_request("/clusterf", 0)["create_request"]


def test_a_transaction_is_of_conditions_and_operations() -> None:
    request = decoded(
        wire.transaction_request(
            [
                wire.compare_mod("a", 3),
                wire.compare_lease("a", 9, "NOT_EQUAL"),
                wire.compare_value("a", b"v"),
            ],
            [wire.put_op("a", b"v", lease=9), wire.put_op("b", b"")],
            [wire.get_op("a"), wire.delete_op("a")],
        )
    )
    assert request == {
        "compare": [
            {"key": "YQ==", "target": "MOD", "result": "EQUAL", "mod_revision": "3"},
            {"key": "YQ==", "target": "LEASE", "result": "NOT_EQUAL", "lease": "9"},
            {"key": "YQ==", "target": "VALUE", "result": "EQUAL", "value": "dg=="},
        ],
        "success": [
            {"request_put": {"key": "YQ==", "value": "dg==", "lease": "9"}},
            {"request_put": {"key": "Yg==", "value": ""}},
        ],
        "failure": [
            {"request_range": {"key": "YQ=="}},
            {"request_delete_range": {"key": "YQ=="}},
        ],
    }
