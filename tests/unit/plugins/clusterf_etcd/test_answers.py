"""Against bodies that etcd 3.4.23 sent."""

from __future__ import annotations

from typing import Any

import pytest

from clusterf_etcd import answers
from clusterf_etcd.answers import Nonsense
from clusterf_etcd.wire import Deleted, KeyValue, Message

HEADER = (
    '"header":{"cluster_id":"5944544726224830862","member_id":"5243246956340702022",'
    '"revision":"7","raft_term":"2"}'
)
CLUSTER = "5944544726224830862"
KV = '{"key":"L2NsdXN0ZXJmL2E=","create_revision":"2","mod_revision":"3","version":"2"%s}'


def message(rest: str = "") -> Message:
    return answers.parse(f"{{{HEADER}{rest}}}".encode())


def test_a_range() -> None:
    kvs = ",".join([KV % "", KV % ',"value":"MQ=="', KV % ',"value":"/w==","lease":"77"'])
    page = answers.read_range(message(f',"kvs":[{kvs}],"more":true,"count":"12"'))
    assert page.entries == [
        KeyValue("/clusterf/a", b"", 3, 0),
        KeyValue("/clusterf/a", b"1", 3, 0),
        KeyValue("/clusterf/a", b"\xff", 3, 77),
    ]
    assert (page.revision, page.cluster, page.more) == (7, CLUSTER, True)


def test_an_empty_range_has_no_fields() -> None:
    assert answers.read_range(message()) == ([], 7, CLUSTER, False)


def test_leases() -> None:
    assert answers.read_lease(message(',"ID":"77","TTL":"10"')) == (77, 10)
    assert answers.read_lease({"result": message(',"ID":"77","TTL":"10"')}) == (77, 10)
    # One that is gone has no TTL, and status 200.
    assert answers.read_lease({"result": message(',"ID":"78"')}) == (78, 0)


def test_a_transaction() -> None:
    answer = message(
        ',"succeeded":true,"responses":[{"response_put":{"header":{"revision":"7"}}},'
        '{"response_range":{"header":{"revision":"7"},"kvs":[%s],"count":"1"}},'
        '{"response_range":{"header":{"revision":"7"}}},'
        '{"response_delete_range":{"header":{"revision":"7"},"deleted":"1"}},'
        '{"response_delete_range":{"header":{"revision":"7"}}}]' % (KV % "")
    )
    found = KeyValue("/clusterf/a", b"", 3, 0)
    assert answers.read_transaction(answer) == (True, 7, (0, (found,), (), 1, 0))
    # Not done, and nothing to do instead.
    assert answers.read_transaction(message()) == (False, 7, ())


def test_a_watch() -> None:
    created = answers.read_watch({"result": message(',"created":true')})
    assert created == ([], 7, CLUSTER, True, False, False, 0, "")
    told = answers.read_watch(
        {
            "result": message(
                f',"fragment":true,"events":[{{"kv":{KV % ""}}},'
                '{"type":"DELETE","kv":{"key":"L2NsdXN0ZXJmL2I=","mod_revision":"4"}}]'
            )
        }
    )
    assert told.events == [KeyValue("/clusterf/a", b"", 3, 0), Deleted("/clusterf/b", 4)]
    assert told.fragment
    only_put = answers.read_watch({"result": message(f',"events":[{{"kv":{KV % ""}}}]')})
    assert only_put.events == [KeyValue("/clusterf/a", b"", 3, 0)]
    compacted = answers.read_watch({"result": message(',"canceled":true,"compact_revision":"6"')})
    assert (compacted.canceled, compacted.compact_revision) == (True, 6)
    refused = answers.read_watch(
        {
            "result": message(
                ',"watch_id":"-1","created":true,"canceled":true,'
                '"cancel_reason":"rpc error: code = PermissionDenied desc = etcdserver: '
                'permission denied"'
            )
        }
    )
    assert refused.created
    assert refused.canceled
    assert refused.reason.endswith("permission denied")


def test_a_token_goes_into_a_header() -> None:
    assert answers.read_token(message(',"token":"kEqIfXPxRQgIwGdm.9"')) == "kEqIfXPxRQgIwGdm.9"
    for token in ("", "a\r\nb", "é", 7, None):
        with pytest.raises(Nonsense):
            answers.read_token({"token": token})


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b'"x"', b"null", b'{"a":', b"\xff", b"[" * 100_000]
)
def test_what_is_no_message(body: bytes) -> None:
    with pytest.raises(Nonsense):
        answers.parse(body)


@pytest.mark.parametrize(
    "read",
    [
        answers.read_range,
        answers.read_lease,
        answers.read_transaction,
        answers.read_watch,
        answers.read_revision,
    ],
)
@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"header": None},
        {"header": []},
        {"header": {"revision": "x", "cluster_id": "1"}},
        {"header": {"revision": "9" * 5000, "cluster_id": "1"}},
        {"ID": {}, "header": {"revision": None}},
        {"result": 7},
        {"result": None},
    ],
    ids=lambda one: str(one)[:40],
)
def test_answers_of_another_shape(read: Any, answer: Any) -> None:
    with pytest.raises(Nonsense):
        read(answer)


@pytest.mark.parametrize(
    "kvs",
    [
        [{}],
        [7],
        7,
        ["x"],
        {"key": "YQ=="},
        [{"key": "YQ==", "mod_revision": None}],
        [{"key": 7, "mod_revision": "1"}],
        [{"key": "Y", "mod_revision": "1"}],
        [{"key": "YQ==", "mod_revision": "1", "value": None}],
    ],
    ids=str,
)
def test_keys_of_another_shape(kvs: Any) -> None:
    with pytest.raises(Nonsense):
        answers.read_range({**message(), "kvs": kvs})
    with pytest.raises(Nonsense):
        answers.read_transaction({**message(), "responses": [{"response_range": {"kvs": kvs}}]})
    events = [{"kv": one} for one in kvs] if isinstance(kvs, list) else kvs
    with pytest.raises(Nonsense):
        answers.read_watch({"result": {**message(), "events": events}})
