from __future__ import annotations

import json
from typing import Any

import pytest

from clusterf_etcd.commands.v2_tree import NotV2, V2Key, read_error, read_tree

# As etcd 3.4 answers.
ANSWER = {
    "action": "get",
    "node": {
        "key": "/clusterf",
        "dir": True,
        "nodes": [
            {
                "key": "/clusterf/services",
                "dir": True,
                "nodes": [
                    {
                        "key": "/clusterf/services/web",
                        "dir": True,
                        "nodes": [
                            {
                                "key": "/clusterf/services/web/frontend",
                                "value": '{"ipv4":"192.0.2.1","tcp":80}',
                                "modifiedIndex": 5,
                                "createdIndex": 5,
                            },
                            {
                                "key": "/clusterf/services/web/backends",
                                "dir": True,
                                "nodes": [
                                    {
                                        "key": "/clusterf/services/web/backends/b1",
                                        "value": "{}",
                                        "expiration": "2016-06-01T12:00:00.1Z",
                                        "ttl": 8,
                                        "modifiedIndex": 6,
                                        "createdIndex": 6,
                                    }
                                ],
                            },
                        ],
                    },
                    {"key": "/clusterf/services/empty", "dir": True, "modifiedIndex": 7},
                ],
            },
            {"key": "/clusterf/routes", "dir": True, "nodes": []},
        ],
    },
}


def tree(node: Any, prefix: str = "/clusterf") -> list[V2Key]:
    return read_tree(json.dumps({"action": "get", "node": node}).encode(), prefix)


def test_leaves_by_their_path() -> None:
    assert tree(ANSWER["node"]) == [
        V2Key("services/web/backends/b1", b"{}", 8),
        V2Key("services/web/frontend", b'{"ipv4":"192.0.2.1","tcp":80}', None),
    ]


def folder(key: str, *nodes: Any, **more: Any) -> dict[str, Any]:
    return {"key": key, "dir": True, "nodes": list(nodes), **more}


def test_what_is_in_a_folder_goes_with_it() -> None:
    leaf = {"key": "/c/a/x", "value": ""}
    assert tree(folder("/c", folder("/c/a", leaf, ttl=5)), "/c") == [V2Key("a/x", b"", 5)]
    short, long = {**leaf, "ttl": 2}, {**leaf, "ttl": 9}
    assert tree(folder("/c", folder("/c/a", short, ttl=5)), "/c") == [V2Key("a/x", b"", 2)]
    assert tree(folder("/c", folder("/c/a", long, ttl=5)), "/c") == [V2Key("a/x", b"", 5)]


def test_odd_text_stays_what_it_is() -> None:
    leaf = {"key": "/c/\u00e9 \x00", "value": "\ud800\u00e9"}
    assert tree(folder("/c", leaf), "/c") == [V2Key("\u00e9 \x00", b"\xed\xa0\x80\xc3\xa9", None)]


def test_an_empty_tree() -> None:
    assert tree({"key": "/clusterf", "dir": True}) == []


def nested(depth: int) -> Any:
    node: Any = {"key": "/c/x", "value": ""}
    for _ in range(depth):
        node = folder("/c", node)
    return node


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"node":null}',
        b'{"node":{"key":"/clusterf","dir":true,"nodes":7}}',
        b'{"node":{"key":"/clusterf/x"}}',
        b'{"node":{"key":"/clusterf/x","value":7}}',
        b'{"node":{"key":"/clusterf/x","value":"","ttl":"soon"}}',
        b'{"node":{"key":"/clusterf","value":"a leaf where the tree should be"}}',
        b'{"node":{"key":"/other/x","value":""}}',
        b'{"node":' + b'{"dir":true,"nodes":[' * 50_000,
        json.dumps({"node": nested(100)}).encode(),
    ],
)
def test_what_is_no_tree_is_told(answer: bytes) -> None:
    with pytest.raises(NotV2):
        read_tree(answer, "/clusterf" if b"/c/x" not in answer else "/c")


def test_errors() -> None:
    answer = b'{"errorCode":100,"message":"Key not found","cause":"/clusterf","index":4}\n'
    assert read_error(answer) == (100, "Key not found: /clusterf")
    for other in (b"404 page not found\n", b"", b"[]", b'{"errorCode":"x"}', b"[" * 50_000):
        assert read_error(other) is None
