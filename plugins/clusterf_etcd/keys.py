"""Keys of the tree, as the original laid it out: which record a key is for, and back.

* ``PREFIX/services/NAME/frontend``: `ServiceRef`
* ``PREFIX/services/NAME/backends/ID``: `BackendRef`
* ``PREFIX/routes/NAME``: `RouteRef`

Names have no slashes, spaces and characters that cannot be printed. A key comes as UTF-8 decoded
with ``surrogateescape``, since etcd takes any bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from clusterf.model.service import BackendRef, Ref, RouteRef, ServiceRef
from clusterf.plugin import shown

SERVICE_NAME_MAX = 253
"""Characters in the name of a service."""

NAME_MAX = 255
"""Characters in the name of a backend or a route."""

SHAPE_HINT = "keys are services/NAME/frontend, services/NAME/backends/ID and routes/NAME"
"""What can stand below the prefix, for people."""

_PLAIN = r"(?!\.\.?(?:/|\Z))[!-.0-~]{1,%d}"
_plain_folder = re.compile(
    rf"(.*)/services/({_PLAIN % SERVICE_NAME_MAX})/backends", re.DOTALL
).fullmatch
_plain_name = re.compile(_PLAIN % NAME_MAX).fullmatch
_PLAIN_MAX = len("/services//backends/") + SERVICE_NAME_MAX + NAME_MAX

_SHOWN = 200
"""Characters of a bad key that are shown."""


class KeyFault(Exception):
    """A key is for no record; the text says why, without the key."""


def plain_backend_names(key: str, prefix: str) -> tuple[str, str] | None:
    """Service and id in the key of a backend, as nearly all keys are, if both are plain ASCII."""
    if len(key) - len(prefix) > _PLAIN_MAX:
        return None
    folder, _, name = key.rpartition("/")
    known = _folder(folder)
    if known is None or known[0] != prefix:
        return None
    # Ids of containers, asked for in the cheapest way.
    if name.isascii() and name.encode().isalnum() and len(name) <= NAME_MAX:
        return known[1], name
    return (known[1], name) if _plain_name(name) else None


@lru_cache(2**10)
def _folder(folder: str) -> tuple[str, str] | None:
    """Prefix and service of a folder of backends. Keys come in order, so it is asked for often."""
    found = _plain_folder(folder)
    return None if found is None else (found[1], found[2])


def ref_of(key: str, prefix: str) -> Ref:
    """The record that a key is for. ``prefix`` has no slash at its end.

    Raises:
        KeyFault: it is for none.
    """
    names = plain_backend_names(key, prefix)
    return BackendRef(*names) if names is not None else _ref_of_parts(key, prefix)


def key_of(ref: Ref, prefix: str) -> str:
    """The key of a record.

    Raises:
        KeyFault: a name in it cannot be part of a key.
    """
    if isinstance(ref, BackendRef):
        key = f"{prefix}/services/{ref.service}/backends/{ref.id}"
    elif isinstance(ref, ServiceRef):
        key = f"{prefix}/services/{ref.name}/frontend"
    else:
        key = f"{prefix}/routes/{ref.name}"
    if ref_of(key, prefix) != ref:
        raise KeyFault("has a slash in a name")
    return key


def shown_key(key: str) -> str:
    r"""A key for people: what cannot be printed is escaped, the middle of a long one left out.

    Bytes that are not UTF-8 are shown as ``\xff``.
    """
    if len(key) > _SHOWN:
        key = f"{key[: _SHOWN * 2 // 3]}…{key[-_SHOWN // 3 :]}"
    return "".join(char if char.isprintable() and char != " " else _escaped(char) for char in key)


def _escaped(char: str) -> str:
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x100 else char.encode("unicode_escape").decode()


def _ref_of_parts(key: str, prefix: str) -> Ref:
    """As `ref_of`, part by part."""
    if not key.startswith(f"{prefix}/"):
        raise KeyFault(f"is not below {prefix}")
    # No more parts than it takes to see that there are too many: a key may have a million.
    parts = key[len(prefix) + 1 :].split("/", 4)
    for part in parts:
        if part in {"", ".", ".."}:
            raise KeyFault(f"has {shown(part)} as a part" if part else "has an empty part")
    match parts:
        case ["services", service, "frontend"]:
            return ServiceRef(_name("service", service, SERVICE_NAME_MAX))
        case ["services", service, "backends", backend]:
            return BackendRef(
                _name("service", service, SERVICE_NAME_MAX), _name("backend", backend, NAME_MAX)
            )
        case ["routes", route]:
            return RouteRef(_name("route", route, NAME_MAX))
        case ["services"] | ["routes"] | ["services", _] | ["services", _, "backends"]:
            raise KeyFault("is a value where a folder is expected")
        case ["routes", *_] | ["services", _, "frontend" | "backends", *_]:
            raise KeyFault("has a part too many")
        case ["services", _, other, *_]:
            raise KeyFault(f"has {shown(other)} where frontend or backends is expected")
    raise KeyFault(f"has {shown(parts[0])} where services or routes is expected")


def _name(what: str, name: str, longest: int) -> str:
    if len(name) > longest:
        raise KeyFault(f"has a {what} name of more than {longest} characters")
    if any("\ud800" <= char <= "\udfff" for char in name):
        raise KeyFault(f"has a {what} name that is not UTF-8")
    if " " in name or not name.isprintable():
        raise KeyFault(f"has a {what} name with a space or a character that cannot be printed")
    return name
