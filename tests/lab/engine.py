"""A private Docker Engine in a network namespace: nothing of the host's own Docker is touched."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.lab import images, scratch
from tests.lab.process import LabError, LocalProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from docker.models.containers import Container
    from docker.models.networks import Network

    from tests.lab.certificates import Certificates
    from tests.lab.network import Namespace

RESPONDER = "clusterf/responder"
HEALTHY = "clusterf/healthy"


class Engine:
    """A running dockerd with its containerd, shims and containers.

    Args:
        namespace: where its bridges, and with them the containers, are attached.
        tcp: ``address:port`` of the namespace to serve the API on as well.
        tls: makes ``tcp`` speak TLS and ask for a client certificate.
        live_restore: containers outlive a restart of the daemon.
        bridge: address and prefix length of the default bridge.
        bridge6: prefix of the default bridge's IPv6 addresses.
        pool: where user-defined networks take their subnets from.
    """

    def __init__(
        self,
        namespace: Namespace,
        *,
        tcp: str | None = None,
        tls: Certificates | None = None,
        live_restore: bool = False,
        bridge: str = "203.0.113.1/25",
        bridge6: str = "2001:db8:4::/64",
        pool: str = "base=203.0.113.128/25,size=28",
    ) -> None:
        started = time.perf_counter()
        self.namespace = namespace
        self.tcp = tcp
        self._cgroup = scratch.name("engine")
        # A Unix socket's path may have 107 bytes; a project's own directory may be deep.
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{self._cgroup}-"))
        self.socket = f"unix://{self._scratch}/docker.sock"
        self._lines = 0
        command = [
            *("dockerd", "-H", self.socket, "-p", str(self._scratch / "pid")),
            *("--data-root", str(self._scratch / "data")),
            *("--exec-root", str(self._scratch / "exec")),
            *("--cgroup-parent", f"/{self._cgroup}"),
            *("--exec-opt", "native.cgroupdriver=cgroupfs"),
            *("--iptables=false", "--ip-masq=false", "--ip-forward=false"),
            "--userland-proxy=false",
            *("--bip", bridge, "--ipv6", "--fixed-cidr-v6", bridge6),
            *("--default-address-pool", pool),
            *(("-H", f"tcp://{tcp}") if tcp else ()),
            # Not saying it makes the daemon wait 15 s, so that somebody reads its warning.
            *(_tls(tls) if tls else ("--tls=false",)),
            *(("--live-restore",) if live_restore else ()),
        ]
        self._init = LocalProcess(
            namespace.command(
                [
                    *("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--"),
                    *(sys.executable, "-I", "-S", Path(__file__).with_name("engine_init.py")),
                    *(self._scratch, *command),
                ]
            )
        )
        try:
            self._expect("up")
            self.start()
            # Imported late: it takes a second in a guest, where there is no engine.
            import docker  # noqa: PLC0415

            self.client = docker.DockerClient(base_url=self.socket, timeout=30)
            archive = images.responder()
            for repository, changes in (
                (RESPONDER, images.CHANGES),
                (HEALTHY, (*images.CHANGES, images.HEALTHCHECK)),
            ):
                self.client.api.import_image_from_data(
                    archive, repository=repository, tag="latest", changes=list(changes)
                )
        except BaseException:
            self.close()
            raise
        self.start_seconds = time.perf_counter() - started

    def run(
        self,
        name: str,
        *,
        image: str = RESPONDER,
        labels: Mapping[str, str] | None = None,
        network: str | None = None,
        **options: Any,
    ) -> Container:
        """Start a container that answers with ``name``; ``options`` as the SDK's ``run`` has them.

        It serves HTTP on port 80 and echo on port 7, on IPv4 and IPv6.
        """
        return self.client.containers.run(
            image,
            name=name,
            hostname=name,
            labels=dict(labels or {}),
            network=network,
            detach=True,
            **options,
        )

    def network(self, name: str, subnet: str | None = None, subnet6: str | None = None) -> Network:
        """Make a bridge network; without ``subnet`` the engine takes one from its pool."""
        from docker.types import IPAMConfig, IPAMPool  # noqa: PLC0415 # as above

        pools = [IPAMPool(subnet=prefix) for prefix in (subnet, subnet6) if prefix]
        return self.client.networks.create(
            name,
            driver="bridge",
            enable_ipv6=subnet6 is not None,
            ipam=IPAMConfig(pool_configs=pools) if pools else None,
        )

    def address(self, container: Container, network: str = "bridge", *, ipv6: bool = False) -> str:
        """The address that a container has now in a network."""
        container.reload()
        key = "GlobalIPv6Address" if ipv6 else "IPAddress"
        address: str = container.attrs["NetworkSettings"]["Networks"][network][key]
        if not address:
            raise LabError(f"{container.name} has no address in {network}")
        return address

    def start(self) -> None:
        """Start the daemon and wait until it serves."""
        self._init.send("start\n")
        self._expect("ready")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the daemon, by SIGKILL if asked; without ``live_restore`` its containers end too."""
        self._init.send(f"signal {int(number)}\n")
        self._expect("ended")

    def restart(self, number: int = signal.SIGTERM) -> None:
        self.stop(number)
        self.start()

    def crash(self) -> None:
        """End all of it as a power failure would, the containers too."""
        self._init.kill()
        self._init.wait(10)

    def log(self) -> str:
        """What the daemon wrote so far."""
        return self._init.errors()

    def clear(self) -> None:
        """Remove all containers and user-defined networks."""
        for container in self.client.containers.list(all=True):
            container.remove(force=True)
        self.client.networks.prune()

    def close(self) -> None:
        """End all of it; the kernel removes what is mounted with the last process."""
        if hasattr(self, "client"):
            # The containers' cgroups are theirs to remove, and the daemon does it best.
            with contextlib.suppress(Exception):
                self.clear()
            self.client.close()
        self._init.close_input()
        try:
            self._init.wait(10)
        except TimeoutError:
            self._init.kill()
            self._init.wait(10)
        scratch.remove_cgroup(self._cgroup)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _expect(self, word: str) -> None:
        line = self._init.line(self._lines, 60)
        self._lines += 1
        if line is None or not line.startswith(word):
            raise LabError(f"dockerd: {line} where {word} was due\n{self.log()[-4000:]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def missing() -> str | None:
    """Why no private engine can run here; None when it can."""
    if os.geteuid() != 0:
        return "not root"
    absent = [name for name in ("dockerd", "containerd", "busybox") if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed" if absent else None


def _tls(certificates: Certificates) -> Sequence[str]:
    certificate, key = certificates.server
    return (
        "--tlsverify",
        *("--tlscacert", str(certificates.ca)),
        *("--tlscert", str(certificate), "--tlskey", str(key)),
    )
