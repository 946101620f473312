"""``clusterf run`` of an executable on the appliance, as a user with CAP_NET_ADMIN alone."""

from __future__ import annotations

import json
import re
import signal
from typing import Any, Self

from tests.frozen.appliance.machine import Appliance
from tests.frozen.appliance.network import VIP, VIP6, WEB, WEB6
from tests.frozen.bare import NOBODY, PROGRAMS
from tests.frozen.executables import DIST, Executable
from tests.lab.polling import eventually
from tests.lab.process import Completed, Running

JSON = dict[str, Any]

FOLDER = "/run/clusterf"
"""What the service may write to; its configuration is there, too."""

UNPRIVILEGED = (
    "setpriv",
    *(f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"),
    "--bounding-set=-all",
)
ONE_CAPABILITY = (
    *UNPRIVILEGED[:-1],
    *(f"--{kind}=-all,+net_admin" for kind in ("bounding-set", "inh-caps", "ambient-caps")),
)
"""As the unit of systemd has it."""

CONFIGURATION = """\
[clusterf]
managed = ["198.51.100.64/26", "2001:db8:3::/112"]
control = "control.sock"
state_dir = "state"
start_wait = "2s"
{core}
[sources.files]
type = "static"
path = "services.d"

[outputs.kernel]
type = "ipvs"
look = "300ms"
drain_poll = "200ms"

[outputs.vips]
type = "addresses"
{rest}"""

SERVICES = f"""\
[services.echo]
frontend = {{ ipv4 = "{VIP}", ipv6 = "{VIP6}", tcp = 7 }}
scheduler = "rr"
backends = [
  {{ id = "web-1", ipv4 = "{WEB["web1"]}", ipv6 = "{WEB6["web1"]}", tcp = 7 }},
  {{ id = "web-2", ipv4 = "{WEB["web2"]}", ipv6 = "{WEB6["web2"]}", tcp = 7 }},
]

[services.web]
frontend = {{ ipv4 = "{VIP}", ipv6 = "{VIP6}", tcp = 80 }}
scheduler = "rr"
backends = [
  {{ id = "web-1", ipv4 = "{WEB["web1"]}", ipv6 = "{WEB6["web1"]}", tcp = 80 }},
  {{ id = "web-2", ipv4 = "{WEB["web2"]}", ipv6 = "{WEB6["web2"]}", tcp = 80 }},
]
"""
TABLE = sorted(
    line
    for vip, servers in ((VIP, WEB), (f"[{VIP6}]", {n: f"[{a}]" for n, a in WEB6.items()}))
    for port in (7, 80)
    for line in (
        f"-A -t {vip}:{port} -s rr",
        *(f"-a -t {vip}:{port} -r {address}:{port} -m -w 10" for address in servers.values()),
    )
)
"""What the kernel has of them, as of ``ipvsadm -S -n``."""

START = 60.0
PATIENCE = 40.0
_ASK = f"""\
$socket = IO::Socket::UNIX->new(Peer => "{FOLDER}/control.sock") or die "nobody: $!";
print $socket "{{\\"command\\": \\"status\\"}}\\n";
print scalar <$socket>;
"""
_DONE = re.compile(r"\bdone op='([^']*)' because=")


def program(executable: Executable) -> str:
    """Its path on the appliance."""
    return f"{PROGRAMS}/{executable.path.relative_to(DIST)}"


class Daemon:
    """Starts, stops and asks it. ``program`` may be exchanged between two starts."""

    def __init__(self, appliance: Appliance, program: str) -> None:
        self.appliance = appliance
        self.program = program
        self._running: Running | None = None
        appliance.sh(
            f"rm -rf {FOLDER}; mkdir -p {FOLDER}/services.d; chown {NOBODY}:{NOBODY} {FOLDER}"
        )
        self.configure()
        self.says(SERVICES)

    def configure(self, core: str = "", rest: str = "") -> None:
        """Write clusterf.toml."""
        self.appliance.put(f"{FOLDER}/clusterf.toml", CONFIGURATION.format(core=core, rest=rest))

    def says(self, text: str) -> None:
        """Write the file of services."""
        self.appliance.put(f"{FOLDER}/services.d/services.toml", text)

    def start(self, **env: str) -> None:
        """Start it, and wait until the kernel is as wanted."""
        self.launch(**env)
        self.running.wait_for(" started services=", START)
        self.look_again()

    def launch(self, **env: str) -> None:
        """Start it."""
        self._running = self.appliance.spawn(self.command("run"), env=env)

    def command(self, *words: str, user: tuple[str, ...] = ONE_CAPABILITY) -> list[str]:
        return [*user, self.program, *words, "-c", f"{FOLDER}/clusterf.toml"]

    def cli(self, *words: str, user: tuple[str, ...] = ONE_CAPABILITY) -> Completed:
        """Run another command to its end."""
        return self.appliance.exec(self.command(*words, user=user), check=False, timeout=60)

    @property
    def running(self) -> Running:
        assert self._running is not None
        return self._running

    @property
    def log(self) -> str:
        return self.running.errors()

    @property
    def main(self) -> int:
        """The process that was started."""
        pid: int = self.running.pid  # type: ignore[attr-defined]
        return pid

    @property
    def child(self) -> int:
        """Of the one file the process that is clusterf."""
        (child,) = (pid for pid in self.processes() if pid != self.main)
        return child

    def processes(self) -> list[int]:
        """What there is of it."""
        return self.appliance.processes(session=self.main)

    def wait_gone(self) -> int:
        """Wait until the last of its processes has ended; returns the status of the first."""
        eventually(lambda: not self.processes(), "no process is left", within=PATIENCE)
        return self.running.wait(PATIENCE)

    def signal(self, number: signal.Signals, *processes: int) -> None:
        """To single processes; without, to the one that was started."""
        pids = " ".join(map(str, processes or (self.main,)))
        self.appliance.sh(f"kill -{number.value} {pids}\n")

    def stop(self) -> int:
        """SIGTERM to what was started; returns the exit status, when all of it has ended."""
        self.signal(signal.SIGTERM)
        return self.wait_gone()

    def operations(self) -> list[str]:
        """What it did to the kernel since its start, in ipvsadm's words."""
        return _DONE.findall(self.log)

    def rules(self) -> list[str]:
        """The table as ``ipvsadm -S -n`` prints it, sorted."""
        said = self.appliance.ipvsadm("-S", "-n")
        return sorted(line.strip() for line in said.splitlines())

    def vips(self) -> set[str]:
        """What is bound to the loopback."""
        said = self.appliance.ip("address show dev lo scope global")
        return set(re.findall(r"inet6? (\S+)/", said))

    def wait_for_vips(self, *wanted: str) -> None:
        """Wait until these are bound, which they are once they can serve."""
        eventually(lambda: self.vips() == set(wanted), f"VIPs {wanted}", within=PATIENCE, every=0.2)

    def wait_for_rules(self, wanted: list[str]) -> None:
        """Wait until the table is like that."""
        seen: list[str] = []

        def holds() -> bool:
            seen[:] = self.rules()
            return seen == wanted

        try:
            eventually(holds, "the table", within=PATIENCE, every=0.2)
        except TimeoutError as error:
            table = "\n".join(seen)
            raise AssertionError(f"{error}; it is\n{table}\n{self.log}") from None

    def status(self) -> JSON:
        """As ``clusterf status``, without the time that it takes to start."""
        told = self.appliance.exec(["perl", "-MIO::Socket::UNIX", "-e", _ASK])
        picture: JSON = json.loads(told.stdout)
        return picture

    def look_again(self) -> None:
        """Wait until all outputs run, and it has looked at the whole kernel after now."""
        looks = self._looks() or 0
        eventually(lambda: (self._looks() or 0) >= looks + 2, "it looks", within=PATIENCE)

    def _looks(self) -> int | None:
        """How often it has looked at the kernel; None as long as an output does not run."""
        outputs = {one["name"]: one for one in self.status()["outputs"]}
        if any(one["state"] != "running" for one in outputs.values()):
            return None
        return int(outputs["outputs.kernel"]["looks"])

    def end(self) -> None:
        """Whatever its state, it is gone afterwards."""
        if self._running is not None:
            self._running.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
