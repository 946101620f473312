"""A Debian with systemd on Debian's kernel under QEMU, and clusterf in it as a service.

Without KVM, so that it runs everywhere. Its disk is made once, and never written: what a guest
writes is gone with it.
"""

from __future__ import annotations

import base64
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from tests.bench import cpio, kernel, rootfs
from tests.bench.cpio import Content
from tests.bench.kernel import Kernel
from tests.frozen import bare
from tests.frozen.executables import DIST, ONE_FILE, ROOT
from tests.lab.process import Completed, LocalProcess
from tests.lab.remote import impossible

PACKAGES: Final = ("systemd", "systemd-sysv", "kmod", "iproute2")
PACKAGING: Final = ROOT / "packaging" / "systemd"
ALONE: Final = "/usr/local/bin/clusterf"
"""Where the one file lies in the guest, beside the installed folder."""

_HERE: Final = Path(__file__).parent
_INSTALLED: Final = {
    "clusterf.service": "/usr/lib/systemd/system/clusterf.service",
    "sysusers.conf": "/usr/lib/sysusers.d/clusterf.conf",
    "modules-load.conf": "/usr/lib/modules-load.d/clusterf.conf",
    "modprobe.conf": "/usr/lib/modprobe.d/clusterf.conf",
    "sysctl.conf": "/usr/lib/sysctl.d/50-clusterf.conf",
}
"""As packaging/systemd/README.md says."""
_DISK_MODULES: Final = ("virtio_pci", "virtio_blk", "crc32c_generic")
_NEEDLESS: Final = (
    *("usr/share/doc", "usr/share/locale", "usr/share/man"),
    *("var/cache/apt", "var/lib/apt"),
)
_MASKED: Final = (
    *("serial-getty@.service", "getty@.service", "getty-static.service"),
    *("ldconfig.service", "systemd-firstboot.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_reap.service", "systemd-logind.service", "systemd-update-utmp.service"),
)
"""What takes time, and has no part in this."""

_NETWORK = """
[Unit]
Description=a network whose destinations have a route
Before=network.target
[Service]
Type=oneshot
ExecStart=ip link add front type dummy
ExecStart=ip address add 198.51.100.254/24 dev front
ExecStart=ip link set front up
[Install]
WantedBy=multi-user.target
"""
_AGENT = """
[Service]
ExecStart=/usr/local/sbin/lab-agent
[Install]
WantedBy=multi-user.target
"""


class Guest(LocalProcess):
    """The machine. ``written``: files that it has besides, such as the configuration.

    With ``brought`` it has these files instead of clusterf and its service.
    """

    def __init__(
        self,
        folder: Path,
        written: Mapping[str, str],
        brought: Mapping[str, Content] | None = None,
    ) -> None:
        linux, disk = _kernel_and_disk()
        archive = folder / "initramfs.cpio"
        with archive.open("wb") as out:
            cpio.write(out, _files(linux, written, _service() if brought is None else brought))
        self.console = folder / "console"
        self._answers = 1
        super().__init__(
            [
                *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024"),
                *("-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none"),
                *("-serial", "stdio", "-serial", f"file:{self.console}", "-no-reboot"),
                *("-drive", f"file={disk},format=raw,if=virtio,snapshot=on"),
                *("-kernel", linux.image, "-initrd", archive),
                *("-append", "console=ttyS1 quiet panic=-1 mitigations=off"),
            ]
        )

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.wait_for("lab-agent", timeout=120)
        except TimeoutError as error:
            self.stop()
            said = self.console.read_text("utf-8", "replace") if self.console.exists() else ""
            raise TimeoutError(f"{error}\n{said[-4000:]}") from error
        return self

    def run(self, script: str, *, check: bool = True, timeout: float = 60) -> Completed:
        """Run a script of the shell to its end, as root."""
        self.send(base64.b64encode(script.encode()).decode() + "\n")
        answer = self.line(self._answers, timeout)
        assert answer is not None, self.console.read_text("utf-8", "replace")[-4000:]
        self._answers += 1
        status, *texts = answer.split()
        output, errors = (base64.b64decode(text[1:]).decode("utf-8", "replace") for text in texts)
        done = Completed((script,), int(status), output, errors)
        return done.check() if check else done

    def says(self, script: str) -> str:
        """What a script prints, without the end of the last line."""
        return self.run(script).stdout.rstrip("\n")

    def write(self, path: str, text: str) -> None:
        """Write a file; its folder is made."""
        encoded = base64.b64encode(text.encode()).decode()
        place = shlex.quote(path)
        self.run(f"mkdir -p $(dirname {place}) && echo {encoded} | base64 -d > {place}")


def _kernel_and_disk() -> tuple[Kernel, Path]:
    for program in ("qemu-system-x86_64", "mkfs.ext4", "busybox"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            impossible(f"{program} is not installed (packaging/setup/system.sh installs it)")
    try:
        linux = kernel.debian()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        impossible(f"apt does not give Debian's kernel for virtual machines: {error}")
    disk = ROOT / "build" / f"systemd-{linux.version}.ext4"
    if not disk.exists():
        _make(disk, linux)
    return linux, disk


def _make(disk: Path, linux: Kernel) -> None:
    root = disk.with_name("systemd-root")
    shutil.rmtree(root, ignore_errors=True)
    bare.debootstrap(root, PACKAGES)
    for name in _NEEDLESS:
        shutil.rmtree(root / name)
    shutil.copytree(_modules(linux), root / "lib" / "modules" / linux.version)
    # Not empty: a first boot would enable all that can be.
    (root / "etc" / "machine-id").write_text("0123456789abcdef0123456789abcdef\n", "ascii")
    unfinished = disk.with_suffix(".unfinished")
    subprocess.run(
        ["mkfs.ext4", "-q", "-F", "-d", str(root), "-m", "0", str(unfinished), "768M"],
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        check=True,
    )
    unfinished.rename(disk)
    shutil.rmtree(root)


def _modules(linux: Kernel) -> Path:
    return linux.image.parents[1] / "lib" / "modules" / linux.version


def _service() -> dict[str, Content]:
    """Clusterf, as a package lays it out."""
    laid: dict[str, Content] = {
        place: (PACKAGING / name).read_bytes() for name, place in _INSTALLED.items()
    }
    folder = DIST / "clusterf-folder"
    for path in folder.rglob("*"):
        place = f"/usr/lib/clusterf/{path.relative_to(folder)}"
        if path.is_symlink():
            laid[place] = cpio.Symlink(str(path.readlink()))
        elif path.is_file():
            laid[place] = path
    laid["/usr/bin/clusterf"] = cpio.Symlink("/usr/lib/clusterf/clusterf")
    laid[ALONE] = ONE_FILE.path
    return laid


def _files(
    linux: Kernel, written: Mapping[str, str], brought: Mapping[str, Content]
) -> dict[str, Content]:
    files: dict[str, Content] = {
        "/init": cpio.Program((_HERE / "init.sh").read_text("utf-8")),
        "/bin/busybox": rootfs.program("busybox"),
    }
    modules = kernel.in_order(_modules(linux), _DISK_MODULES)
    files |= {f"/{module.name}": module for module in modules}
    files["/modules"] = "".join(f"/{module.name}\n" for module in modules).encode()
    laid = dict(brought)
    laid |= {f"/etc/systemd/system/{name}": cpio.Symlink("/dev/null") for name in _MASKED}
    laid |= {place: text.encode() for place, text in written.items()}
    laid["/usr/lib/systemd/system/lab-network.service"] = _NETWORK.encode()
    laid["/usr/lib/systemd/system/lab-agent.service"] = _AGENT.encode()
    laid["/usr/local/sbin/lab-agent"] = cpio.Program((_HERE / "agent.sh").read_text("utf-8"))
    return files | {f"/payload{place}": content for place, content in laid.items()}
