"""The unit under systemd itself, in a guest; what is judged here is done in acts.py."""

from __future__ import annotations

import re

import pytest

from tests.frozen.systemd.acts import BAD_PLACE, WATCHDOG, Seen, Sight
from tests.frozen.systemd.guest import ALONE, PACKAGING

pytestmark = pytest.mark.timeout(1500)  # the first one makes the disk and boots it

ERROR, WARNING = 3, 4


def weights(sight: Sight) -> list[str]:
    """Of the destinations in /proc/net/ip_vs."""
    return re.findall(r"-> \w+:1F90 +Masq +(\d+) ", sight.table)


def writes(sight: Sight) -> list[str]:
    return [line.text for line in sight.journal if "done op=" in line.text]


# --- boot ----------------------------------------------------------------------------------------


def test_it_is_up_after_boot_and_so_is_all_else(seen: Seen) -> None:
    assert seen.running == "running"
    assert (seen.boot.state["ActiveState"], seen.boot.state["NRestarts"]) == ("active", "0")


def test_ready_means_that_the_table_is_in_the_kernel(seen: Seen) -> None:
    assert weights(seen.boot) == ["10", "10"]
    assert seen.boot.state["StatusText"] == "virtual services: 1"
    texts = [line.text for line in seen.boot.journal]
    [ready] = [number for number, text in enumerate(texts) if text.startswith("Started clusterf")]
    assert all(texts.index(text) < ready for text in writes(seen.boot))


def test_modules_and_sysctls_are_there_at_boot(seen: Seen) -> None:
    wanted = (PACKAGING / "modules-load.conf").read_text("utf-8").splitlines()
    loaded = {line.split()[0] for line in seen.modules.splitlines()}
    assert {line for line in wanted if line and not line.startswith("#")} <= loaded
    assert seen.sysctls == {
        "ipv4/ip_forward": 1,
        "ipv4/vs/expire_nodest_conn": 1,
        "ipv4/vs/expire_quiescent_template": 1,
        "ipv4/conf/all/rp_filter": 2,
    }
    assert "(size=1048576)" in seen.boot.table


def test_the_doctor_finds_nothing_amiss(seen: Seen) -> None:
    assert seen.doctor.returncode == 0, seen.doctor.stdout
    assert "0 errors, 0 warnings" in seen.doctor.stdout


def test_it_is_not_root_and_may_do_one_thing(seen: Seen) -> None:
    process = seen.boot.process
    assert "0" not in process["Uid"].split()
    assert process["Groups"] == process["Gid"].split()[0], "nor in any other group"
    sets = {process[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert sets == {f"{1 << 12:016x}"}, "CAP_NET_ADMIN"
    assert process["NoNewPrivs"] == "1"
    assert process["Seccomp"] == "2"


def test_its_exposure_is_small(seen: Seen) -> None:
    [exposure] = re.findall(r"exposure level for clusterf.service: ([\d.]+)", seen.security.stdout)
    print(f"systemd-analyze security: {exposure}")  # noqa: T201 - shown by pytest -rP
    assert seen.security.returncode == 0, seen.security.stdout


def test_the_journal_has_levels_and_no_time_of_its_own(seen: Seen) -> None:
    [line] = [line for line in seen.boot.journal if "daemon: started" in line.text]
    assert (line.priority, line.text.split()[0]) == (6, "info")
    assert not [line for line in seen.boot.journal if line.priority <= WARNING]


# --- reload --------------------------------------------------------------------------------------


def test_a_reload_returns_when_the_new_configuration_is_in_force(seen: Seen) -> None:
    assert seen.reload.returncode == 0, seen.reload.stderr
    assert weights(seen.reloaded) == ["20", "20"]
    assert seen.reloaded.state["MainPID"] == seen.boot.state["MainPID"]
    assert seen.reloaded.state["SubState"] == "running"


def test_a_refused_reload_fails_tells_and_changes_nothing(seen: Seen) -> None:
    assert seen.refusal.returncode != 0
    assert "clusterf.service" in seen.refusal.stderr
    assert seen.refused.table == seen.reloaded.table
    assert seen.refused.state["MainPID"] == seen.boot.state["MainPID"]
    assert seen.refused.state["ActiveState"] == "active"
    assert seen.refused.state["StatusText"].endswith("the last reload was refused")
    [place] = [line for line in seen.refused.journal if BAD_PLACE in line.text]
    assert place.priority == ERROR


# --- what systemd does by itself -----------------------------------------------------------------


def test_one_that_hangs_is_ended_by_the_watchdog_and_started_again(seen: Seen) -> None:
    assert f"Watchdog timeout (limit {WATCHDOG}s)!" in seen.hung.said
    assert seen.hung.state["NRestarts"] == "1"
    assert seen.hung.state["MainPID"] != seen.boot.state["MainPID"]


def test_the_journal_tells_where_it_was(seen: Seen) -> None:
    # Here everything was stopped, and any thread of it may take the signal when all wake together;
    # of a loop that hangs the kernel prefers the main thread (complete_signal, kernel/signal.c).
    assert "Fatal Python error: Aborted" in seen.hung.said
    assert re.search(r'File "(trio|threading)\S+", line \d+ in \w+', seen.hung.said), seen.hung.said
    assert "status=6/ABRT" in seen.hung.said


@pytest.mark.parametrize("act", ["hung", "killed"])
def test_a_restart_finds_the_table_and_writes_nothing(seen: Seen, act: str) -> None:
    sight: Sight = getattr(seen, act)
    assert sight.table == seen.reloaded.table
    assert "adopted services=1 destinations=2" in sight.said
    assert writes(sight) == []


def test_one_that_is_killed_is_started_again(seen: Seen) -> None:
    assert "code=killed, status=9/KILL" in seen.killed.said
    assert seen.killed.state["NRestarts"] == "2"


def test_who_is_made_a_member_of_the_group_docker_is_one_after_a_restart(seen: Seen) -> None:
    assert "500" not in seen.hung.process["Groups"].split()
    assert "500" in seen.killed.process["Groups"].split()


# --- stop, and a start that fails ----------------------------------------------------------------


def test_the_table_outlives_a_stop(seen: Seen) -> None:
    assert seen.stopped.state["ActiveState"] == "inactive"
    assert seen.stopped.state["Result"] == "success"
    assert "stopped kernel=kept" in seen.stopped.said
    assert seen.stopped.table == seen.reloaded.table


def test_a_configuration_at_fault_is_told_with_its_place_and_not_tried_again(seen: Seen) -> None:
    assert seen.failure.returncode != 0
    assert seen.failed.state["ActiveState"] == "failed"
    assert seen.failed.state["ExecMainStatus"] == "78"
    assert seen.failed.state["NRestarts"] == "0"
    [place] = [line for line in seen.failed.journal if BAD_PLACE in line.text]
    assert place.priority == ERROR
    assert seen.failed.table == seen.reloaded.table


# --- the one file, with other outputs and sources ------------------------------------------------


def test_the_one_file_is_ready_and_alive_though_a_child_tells(seen: Seen) -> None:
    assert seen.one_file.state["ActiveState"] == "active"
    assert seen.one_file.state["NRestarts"] == "0"
    assert seen.children == ALONE
    assert seen.one_file.table == seen.reloaded.table
    assert writes(seen.one_file) == [
        text for text in writes(seen.one_file) if "outputs.kernel" not in text
    ]


def test_a_docker_that_is_not_ours_to_ask_is_told_and_who_may(seen: Seen) -> None:
    assert "waits for sources.docker" in seen.one_file.state["StatusText"]
    [told] = [line for line in seen.one_file.journal if "warning sources.docker" in line.text]
    assert told.priority == WARNING
    assert "group docker" in told.text


def test_it_may_set_sysctls_of_the_network(seen: Seen) -> None:
    assert seen.one_file_sysctl == 1
    assert "192.0.2.10/32" in seen.vip


def test_the_one_file_stops_as_well(seen: Seen) -> None:
    assert (seen.ended.state["ActiveState"], seen.ended.state["Result"]) == ("inactive", "success")
    assert seen.ended.table == seen.reloaded.table
