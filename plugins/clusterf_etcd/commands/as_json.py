"""A picture of the tree as JSON, for programs. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clusterf.model.service import Backend, Route, ServiceSpec
from clusterf_etcd.commands.picture import Picture, Published, ServicePicture, Unread
from clusterf_etcd.commands.wording import printable
from clusterf_etcd.wire import KeyValue
from clusterf_etcd.writing import write

JSON = dict[str, Any]


def as_json(shown: Picture, lives: Mapping[int, int]) -> JSON:
    """All of it; ``value`` has the fields of the format under their right names.

    ``lives``: seconds that leases still live.
    """
    return {
        "services": [_service(service, lives) for service in shown.services],
        "routes": [{"name": one.record.name, **_published(one, lives)} for one in shown.routes],
        "refused": [_unread(one, lives) for one in shown.refused],
    }


def _service(service: ServicePicture, lives: Mapping[int, int]) -> JSON:
    return {
        "name": service.name,
        "frontend": None if service.frontend is None else _published(service.frontend, lives),
        "backends": [{"id": one.record.id, **_published(one, lives)} for one in service.backends],
    }


def _published(
    published: Published[ServiceSpec] | Published[Backend] | Published[Route],
    lives: Mapping[int, int],
) -> JSON:
    return {
        **_key(published.entry, lives),
        "agent": published.agent or None,
        "value": json.loads(write(published.record)),
    }


def _unread(unread: Unread, lives: Mapping[int, int]) -> JSON:
    refusal = unread.refusal
    return {
        **_key(unread.entry, lives),
        "reason": refusal.reason,
        "detail": refusal.detail,
        "hint": refusal.hint,
    }


def _key(entry: KeyValue, lives: Mapping[int, int]) -> JSON:
    """The id of a lease is as etcdctl(1) takes it; ``revision`` is of the last change."""
    return {
        "key": printable(entry.key),
        "revision": entry.mod_revision,
        "lease": {"id": f"{entry.lease:016x}", "ttl": lives[entry.lease]} if entry.lease else None,
    }
