"""keepalived's keywords that have no counterpart here, and why: what the report says of each.

Names and meanings are those of keepalived.conf(5) of 2.2, with what older versions had besides.
"""

from __future__ import annotations

from collections.abc import Mapping

_CHECKS = "clusterf has no health checks of its own yet, only those of Docker"
_SCRIPTS = "clusterf runs no scripts"
_MAIL = "clusterf sends no mail"
_VRRP = "clusterf does no VRRP: keepalived can go on with it, without virtual servers"
_QUORUM = "clusterf has no quorum: a virtual service stays, with what serves in it"
_LAST = "clusterf has no backend of last resort"

_CHECKED: Mapping[str, str] = {
    "alpha": _CHECKS,
    "connect_timeout": _CHECKS,
    "delay_before_retry": _CHECKS,
    "delay_loop": _CHECKS,
    "inhibit_on_failure": _CHECKS,
    "retry": _CHECKS,
    "smtp_alert": _MAIL,
    "virtualhost": _CHECKS,
    "warmup": _CHECKS,
}

VIRTUAL_SERVER: Mapping[str, str] = {
    **_CHECKED,
    "ha_suspend": _CHECKS,
    "hysteresis": _QUORUM,
    "nat_mask": "the kernel has no such setting any more",
    "omega": _SCRIPTS,
    "persistence_engine": "clusterf has no persistence engines",
    "quorum": _QUORUM,
    "quorum_down": _SCRIPTS,
    "quorum_up": _SCRIPTS,
    "sorry_server": _LAST,
    "sorry_server_inhibit": _LAST,
    "sorry_server_lvs_method": _LAST,
}
"""Of a virtual_server."""

REAL_SERVER: Mapping[str, str] = {
    **_CHECKED,
    "notify_down": _SCRIPTS,
    "notify_up": _SCRIPTS,
    "snmp_name": "clusterf speaks no SNMP",
}
"""Of a real_server."""

CHECKERS = frozenset(
    {
        "BFD_CHECK",
        "DNS_CHECK",
        "FILE_CHECK",
        "HTTP_GET",
        "MISC_CHECK",
        "PING_CHECK",
        "SMTP_CHECK",
        "SSL_GET",
        "TCP_CHECK",
        "UDP_CHECK",
    }
)
"""Blocks of a real_server that check it; not carried over, for `CHECKS_WHY`."""

CHECKS_WHY = _CHECKS

ROOT: Mapping[str, str] = {
    "SSL": _CHECKS,
    "bfd_instance": "clusterf does no BFD",
    "child_wait_time": "",
    "garp_group": _VRRP,
    "instance": "",
    "interface_up_down_delays": _VRRP,
    "linkbeat_interfaces": _VRRP,
    "linkbeat_use_polling": _VRRP,
    "namespace_with_ipsets": "",
    "net_namespace": "run clusterf in that namespace: ip netns exec NAME clusterf run",
    "net_namespace_ipvs": "run clusterf in that namespace: ip netns exec NAME clusterf run",
    "random_seed": "",
    "static_ipaddress": "clusterf binds VIPs only, with an output of type addresses",
    "static_routes": "clusterf sets no routes",
    "static_rules": "clusterf sets no rules",
    "static_track_group": _VRRP,
    "track_file": _CHECKS,
    "track_group": _VRRP,
    "use_pid_dir": "",
    "vrrp_instance": _VRRP,
    "vrrp_script": _VRRP,
    "vrrp_sync_group": _VRRP,
    "vrrp_track_file": _VRRP,
    "vrrp_track_process": _VRRP,
}
"""Outside of blocks; one problem for each, whatever is in it."""

GLOBAL: Mapping[str, str] = {
    "lvs_flush": "clusterf never flushes; it takes over what is managed",
    "lvs_flush_on_stop": "clusterf leaves the kernel as it is when it stops",
    "lvs_netlink_cmd_rcv_bufs": "clusterf sizes its own",
    "lvs_netlink_monitor_rcv_bufs": "clusterf sizes its own",
    "lvs_sync_daemon": "clusterf does not synchronise connections; ipvsadm --start-daemon does",
    "lvs_timeouts": "set them with ipvsadm --set TCP TCPFIN UDP",
    "nftables_ipvs": "each address and port of a group becomes a virtual service",
}
"""Of global_defs, as far as they are about virtual servers; the rest is told as one."""
