"""Real etcd for tests: Debian's etcd-server 3.4, one member or several, that fail on command.

::

    with Cluster() as etcd:                      # one member on loopback, data in memory or /tmp
        etcd.ctl("put", "/clusterf/a", "1")
        etcd.members[0].kill()
        etcd.members[0].start()                  # again, on the same data and ports

``start`` returns when the member serves. Everything blocks for a fraction of a second; a test
that must not hold up its own tasks meanwhile calls it in a thread.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.etcd.member import Member, free_ports
from tests.lab import process, remote, scratch
from tests.lab.polling import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab.certificates import Certificates
    from tests.lab.network import Namespace
    from tests.lab.process import Argv, Completed

ROOT_PASSWORD = "root's own"  # noqa: S105 # of a server that lives for one test


def missing() -> str | None:
    """Why no etcd can run here; None when it can."""
    absent = [name for name in ("etcd", "etcdctl", "setpriv") if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} not installed (packaging/setup/system.sh installs it)"
    return None


def require() -> None:
    """Skip the test that runs where there is no etcd; with ``CI=true`` fail it."""
    if reason := missing():
        remote.impossible(f"no etcd: {reason}")


class Cluster:
    """The members of one etcd cluster, all ended with it, by pid.

    Args:
        size: how many members.
        options: further options of etcd(1), for all members.
        tls: serve clients over TLS with these certificates.
        client_certificates: ask clients for a certificate; only with ``tls``.
        place: network namespace to run in; without it the caller's own.
        host: IP address of that namespace to serve on; IPv6 without brackets.
        start: False leaves the members unstarted.
    """

    def __init__(
        self,
        size: int = 1,
        *,
        options: Sequence[str] = (),
        tls: Certificates | None = None,
        client_certificates: bool = False,
        place: Namespace | None = None,
        host: str = "127.0.0.1",
        start: bool = True,
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=f"{scratch.name('etcd')}-"))
        self.host = f"[{host}]" if ":" in host else host
        self.scheme = "https" if tls else "http"
        self._tls = tls
        self._place = place
        self._root = False
        self._restored = 0
        self.options = [*options, *(_tls_options(tls, client_certificates) if tls else ())]
        self.members = [
            Member(self, f"member{number}", ports)
            for number, ports in enumerate(free_ports(size, host if place is None else None))
        ]
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    @property
    def endpoints(self) -> list[str]:
        """URLs of all members, in order."""
        return [member.endpoint for member in self.members]

    @property
    def initial(self) -> str:
        """Value of ``--initial-cluster``."""
        return ",".join(f"{member.name}={member.peer}" for member in self.members)

    def start(self) -> None:
        """Start the members that do not run, and wait until each serves."""
        started = [member for member in self.members if not member.running]
        for member in started:
            member.launch()
        for member in started:
            member.wait_ready()

    def kill(self) -> None:
        """SIGKILL all members."""
        for member in self.members:
            member.close()

    def stop(self) -> None:
        """SIGTERM all members."""
        for member in self.members:
            if member.running:
                member.stop()

    def restart(self) -> None:
        """SIGKILL all members and start them again on their data."""
        self.kill()
        self.start()

    def wait_healthy(self, within: float = 20) -> None:
        """Wait until all members commit proposals: after a thaw, a partition, a lost leader."""
        eventually(
            lambda: self.ctl("endpoint", "health", check=False).returncode == 0,
            "all members healthy",
            within=within,
        )

    def leader(self, *, without: Member | None = None) -> Member:
        """Who leads; one is waited for that is not ``without``, which may be frozen."""
        asked = [one for one in self.members if one.running and one is not without]

        def find() -> Member | None:
            for member in asked:
                answer = self.ctl(
                    *("--endpoints", member.endpoint, "endpoint", "status", "-w", "fields"),
                    check=False,
                )
                fields = dict(
                    line.split(" : ", 1) for line in answer.stdout.splitlines() if " : " in line
                )
                if answer.returncode == 0 and fields['"MemberID"'] == fields['"Leader"']:
                    return member
            return None

        return eventually(find, "a leader", within=20)

    # --- what a test does to the store -------------------------------------------------------

    def ctl(
        self, *arguments: str, text: str = "", check: bool = True, user: str | None = None
    ) -> Completed:
        """Run etcdctl(1), as root once there are users; ``text`` is its input."""
        if user is None and self._root:
            user = f"root:{ROOT_PASSWORD}"
        endpoints = () if "--endpoints" in arguments else ("--endpoints", ",".join(self.endpoints))
        return process.run(
            self.placed(["etcdctl", *endpoints, *_tls_of_ctl(self._tls), *arguments]),
            text=text,
            env={"ETCDCTL_API": "3", **({"ETCDCTL_USER": user} if user else {})},
            check=check,
        )

    def put(self, key: str, value: str) -> None:
        self.ctl("put", "--", key, value)

    def delete(self, key: str, *, prefix: bool = False) -> None:
        self.ctl("del", *(["--prefix"] if prefix else []), "--", key)

    def get(self, key: str) -> str | None:
        """Value of a key; None without it."""
        answer = self.ctl("get", "--", key).stdout
        return answer.removeprefix(f"{key}\n").removesuffix("\n") if answer else None

    def enable_auth(self) -> None:
        """Make user ``root`` and ask everybody for a password from now on."""
        self.ctl("user", "add", f"root:{ROOT_PASSWORD}")
        self.ctl("user", "grant-role", "root", "root")
        self.ctl("auth", "enable")
        self._root = True

    def add_user(self, name: str, password: str, prefix: str, access: str = "readwrite") -> None:
        """Add a user that may ``read``, ``write`` or ``readwrite`` below ``prefix`` + "/"."""
        self.ctl("user", "add", f"{name}:{password}")
        self.ctl("role", "add", name)
        self.ctl("role", "grant-permission", name, "--prefix=true", access, f"{prefix}/")
        self.ctl("user", "grant-role", name, name)

    def disable_auth(self) -> None:
        self.ctl("auth", "disable")
        self._root = False

    def compact(self, revision: int) -> None:
        """Forget what was before ``revision``, at once."""
        self.ctl("compact", "--physical=true", str(revision))

    # --- backup ------------------------------------------------------------------------------

    def save(self) -> Path:
        """Save a snapshot of the store, for `restore`."""
        path = self.directory / f"snapshot-{len(list(self.directory.glob('snapshot-*')))}"
        self.ctl("--endpoints", self.endpoints[0], "snapshot", "save", str(path))
        return path

    def restore(self, snapshot: Path) -> None:
        """Kill all members, put their data back to a snapshot, and start them.

        Revisions go backwards; ports, names and the id of the cluster stay.
        """
        self.kill()
        for member in self.members:
            member.wipe()
            self.ctl(
                *("snapshot", "restore", str(snapshot), "--data-dir", str(member.data)),
                *("--name", member.name, "--initial-cluster", self.initial),
                *("--initial-cluster-token", "lab", "--initial-advertise-peer-urls", member.peer),
            )
        self.start()

    # --- the end -----------------------------------------------------------------------------

    def placed(self, argv: Argv) -> tuple[str, ...]:
        """``argv`` so that it runs where the members do."""
        return self._place.command(argv) if self._place else process.words(argv)

    def log(self) -> str:
        return "\n".join(f"--- {member.name}\n{member.log()}" for member in self.members)

    def close(self) -> None:
        for member in self.members:
            with contextlib.suppress(TimeoutError):
                member.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _tls_options(tls: Certificates, client_certificates: bool) -> list[str]:  # noqa: FBT001
    certificate, key = tls.server
    options = ["--cert-file", str(certificate), "--key-file", str(key)]
    if client_certificates:
        options += ["--client-cert-auth", "--trusted-ca-file", str(tls.ca)]
    return options


def _tls_of_ctl(tls: Certificates | None) -> list[str]:
    if tls is None:
        return []
    certificate, key = tls.client
    return ["--cacert", str(tls.ca), "--cert", str(certificate), "--key", str(key)]
