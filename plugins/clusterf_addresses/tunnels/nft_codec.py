"""Messages of nf_tables for our table, and what the kernel tells of it. Pure.

Numbers: linux/netfilter/nfnetlink.h and nf_tables.h. All numbers in here are in network order.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from clusterf.model.address import Family, Network
from clusterf_addresses.attributes import attribute, be32, contents, nest, text, u8, words
from clusterf_addresses.netlink import ACK, APPEND, CREATE, Message
from clusterf_addresses.tunnels.ruleset import TABLE, Chain, Rule, Ruleset

_SUBSYSTEM = 10 << 8
_BEGIN, _END = 16, 17
_NEWTABLE, _GETTABLE, _DELTABLE = _SUBSYSTEM, _SUBSYSTEM | 1, _SUBSYSTEM | 2
_NEWCHAIN, _NEWRULE, _GETRULE = _SUBSYSTEM | 3, _SUBSYSTEM | 6, _SUBSYSTEM | 7

_INET = 1
"""NFPROTO_INET: IPv4 and IPv6 in one table."""

_HEAD = struct.Struct(">BBH")
"""struct nfgenmsg: family, version, resource."""

GET_TABLE: Final = _GETTABLE
GET_RULES: Final = _GETRULE

# NFTA_TABLE_*, NFTA_CHAIN_*, NFTA_HOOK_*, NFTA_RULE_*, NFTA_LIST_ELEM, NFTA_EXPR_*
_TABLE_NAME = 1
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_TYPE = 1, 3, 4, 7
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS, _RULE_USERDATA = 1, 2, 4, 7
_ELEMENT, _EXPRESSION_NAME, _EXPRESSION_DATA = 1, 1, 2
_VALUE, _VERDICT, _VERDICT_CODE = 1, 2, 1

_REGISTER, _REGISTER_OF_VERDICT = 1, 0
_DROP, _ACCEPT = 0, 1
_EQUAL, _NOT_EQUAL = 0, 1
_IIFNAME, _NFPROTO, _L4PROTO = 6, 15, 16
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_PROTOCOLS: Final = {Family.INET: 2, Family.INET6: 10}
_SOURCE: Final = {Family.INET: 12, Family.INET6: 8}
_DESTINATION: Final = {Family.INET: 16, Family.INET6: 24}
_TCP, _FLAGS_AT, _SYN = 6, 13, b"\x02"
_TCPOPT, _MAXSEG, _MAXSEG_AT = 1, 2, 2
_COMMENT = 0
"""NFTNL_UDATA_RULE_COMMENT, as libnftnl keeps comments."""


def head() -> bytes:
    """What each message about our table begins with."""
    return _HEAD.pack(_INET, 0, 0)


def table_body() -> bytes:
    """Body of a request about our table."""
    return head() + text(_TABLE_NAME, TABLE)


def rules_body() -> bytes:
    """Body of a request for the rules of our table."""
    return head() + text(_RULE_TABLE, TABLE)


def seen(body: bytes) -> tuple[str, str]:
    """Chain and comment of a rule that the kernel tells.

    Raises:
        DecodeError: it is not as the kernel's interface says.
    """
    found = contents(body[_HEAD.size :])
    comment, data = "", found.get(_RULE_USERDATA, b"")
    if len(data) >= 2 and data[0] == _COMMENT:
        comment = words(data[2 : 2 + data[1]])
    return words(found.get(_RULE_CHAIN, b"")), comment


def marks(rules: Ruleset) -> tuple[tuple[str, str], ...]:
    """What `seen` gives of each of these rules, in their order."""
    return tuple((rule.chain.name, comment(rule)) for rule in rules.rules)


def comment(rule: Rule) -> str:
    """What tells our rules: a sum over all that it does, so that another one has another."""
    return f"clusterf {zlib.crc32(_expressions(rule)):08x}"


def exchange(rules: Ruleset) -> Iterator[Message]:
    """A batch that puts this table in the place of what is there, in one moment."""
    yield from _opening()
    for chain in rules.chains:
        yield Message(_NEWCHAIN, CREATE | ACK, _chain(chain))
    for rule in rules.rules:
        yield Message(_NEWRULE, CREATE | APPEND | ACK, _rule(rule))
    yield _bound(_END)


def trial(rules: Ruleset) -> list[Message]:
    """The same without its end: the kernel looks at all of it, and does nothing (as nft -c)."""
    return list(exchange(rules))[:-1]


def removal() -> Iterator[Message]:
    """A batch that removes the table, be it there or not."""
    yield _bound(_BEGIN)
    yield Message(_NEWTABLE, CREATE | ACK, table_body())
    yield Message(_DELTABLE, ACK, table_body())
    yield _bound(_END)


def _opening() -> Iterator[Message]:
    """To be made, removed and made: so it does not matter whether there was one."""
    yield _bound(_BEGIN)
    yield Message(_NEWTABLE, CREATE | ACK, table_body())
    yield Message(_DELTABLE, ACK, table_body())
    yield Message(_NEWTABLE, CREATE | ACK, table_body())


def _bound(kind: int) -> Message:
    return Message(kind, 0, _HEAD.pack(0, 0, _SUBSYSTEM >> 8))


def _chain(chain: Chain) -> bytes:
    hook = nest(_CHAIN_HOOK, be32(_HOOK_NUMBER, chain.hook), be32(_HOOK_PRIORITY, chain.order))
    return (
        head()
        + text(_CHAIN_TABLE, TABLE)
        + text(_CHAIN_NAME, chain.name)
        + hook
        + text(_CHAIN_TYPE, "filter")
    )


def _rule(rule: Rule) -> bytes:
    mark = comment(rule).encode() + b"\0"
    return (
        head()
        + text(_RULE_TABLE, TABLE)
        + text(_RULE_CHAIN, rule.chain.name)
        + attribute(_RULE_EXPRESSIONS | 0x8000, _expressions(rule))
        + attribute(_RULE_USERDATA, bytes((_COMMENT, len(mark))) + mark)
    )


def _expressions(rule: Rule) -> bytes:
    return b"".join(_conditions_and_verdict(rule))


def _conditions_and_verdict(rule: Rule) -> Iterator[bytes]:
    if rule.devices:
        yield _meta(_IIFNAME)
        # Of a name only its beginning is compared, as nft does it for "name*".
        yield _compare(rule.devices.encode(), equal=not rule.other)
    if rule.prefix is not None:
        at = _DESTINATION if rule.segment is None else _SOURCE
        yield from _in_prefix(rule.prefix, at[rule.prefix.family])
    if rule.segment is None:
        if rule.drop:
            yield _expression("counter")
        yield _verdict(_DROP if rule.drop else _ACCEPT)
        return
    yield _meta(_L4PROTO)
    yield _compare(bytes((_TCP,)))
    yield _payload(_TRANSPORT_HEADER, _FLAGS_AT, 1)
    yield _masked(_SYN)
    yield _compare(_SYN)
    yield _expression("immediate", be32(1, _REGISTER), _data(2, rule.segment.to_bytes(2)))
    # The kernel never makes it larger (nft_exthdr_tcp_set_eval in net/netfilter/nft_exthdr.c).
    yield _expression(
        "exthdr",
        be32(7, _REGISTER),
        u8(2, _MAXSEG),
        be32(3, _MAXSEG_AT),
        be32(4, 2),
        be32(6, _TCPOPT),
    )


def _in_prefix(prefix: Network, at: int) -> Iterator[bytes]:
    size = len(prefix.address)
    yield _meta(_NFPROTO)
    yield _compare(bytes((_PROTOCOLS[prefix.family],)))
    yield _payload(_NETWORK_HEADER, at, size)
    if prefix.length < size * 8:
        mask = (1 << size * 8) - (1 << size * 8 - prefix.length)
        yield _masked(mask.to_bytes(size))
    yield _compare(bytes(prefix.address))


def _expression(name: str, *attributes: bytes) -> bytes:
    return nest(_ELEMENT, text(_EXPRESSION_NAME, name), nest(_EXPRESSION_DATA, *attributes))


def _data(kind: int, value: bytes) -> bytes:
    return nest(kind, attribute(_VALUE, value))


def _meta(key: int) -> bytes:
    return _expression("meta", be32(2, key), be32(1, _REGISTER))


def _payload(header: int, offset: int, size: int) -> bytes:
    return _expression(
        "payload", be32(1, _REGISTER), be32(2, header), be32(3, offset), be32(4, size)
    )


def _masked(mask: bytes) -> bytes:
    return _expression(
        "bitwise",
        be32(1, _REGISTER),
        be32(2, _REGISTER),
        be32(3, len(mask)),
        _data(4, mask),
        _data(5, bytes(len(mask))),
    )


def _compare(value: bytes, *, equal: bool = True) -> bytes:
    how = _EQUAL if equal else _NOT_EQUAL
    return _expression("cmp", be32(1, _REGISTER), be32(2, how), _data(3, value))


def _verdict(code: int) -> bytes:
    verdict = nest(_VERDICT, be32(_VERDICT_CODE, code))
    return _expression("immediate", be32(1, _REGISTER_OF_VERDICT), nest(2, verdict))
