"""Somebody who may write to etcd and means no good: any bytes as key and value, by the gateway."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from tests.lab.cluster.site import Site
from tests.lab.promises.servers import sockets_in

PREFIX = b"/clusterf/"
_AT_ONCE = 100
"""Puts in one transaction."""


class Stranger:
    """On the host that etcd is on, as nobody in particular."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Write keys, given without the prefix, as many in a transaction as etcd takes."""
        puts = [
            {"request_put": {"key": _base64(PREFIX + key), "value": _base64(value)}}
            for key, value in values.items()
        ]
        for start in range(0, len(puts), _AT_ONCE):
            self._post("txn", {"success": puts[start : start + _AT_ONCE]})

    def delete(self, first: bytes, after: bytes) -> int:
        """Delete the keys from one to before another; returns how many there were."""
        keys = {"key": _base64(PREFIX + first), "range_end": _base64(PREFIX + after)}
        return int(self._post("deleterange", keys).get("deleted", 0))

    def undo(self, *keys: bytes) -> None:
        """Delete keys."""
        for key in keys:
            self._post("deleterange", {"key": _base64(PREFIX + key)})

    def _post(self, what: str, message: dict[str, Any]) -> dict[str, Any]:
        member = self._site.etcd.members[0]
        host = self._site.etcd.host
        connection = http.client.HTTPConnection(host, member.ports.client, timeout=30)
        (connection.sock,) = sockets_in(self._site.etcd_place, 1)
        connection.sock.settimeout(30)
        connection.sock.connect((host, member.ports.client))
        connection.request("POST", f"/v3/kv/{what}", json.dumps(message))
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
