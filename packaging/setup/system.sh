#!/bin/sh
# Installs what building and testing clusterf needs from the system, on Debian 12 and alike.
#
#   packaging/setup/system.sh            install what is missing (root)
#   packaging/setup/system.sh --check    only say what is missing; status 1 if something is
#
# Running it again is quick and changes nothing. Nothing is started or enabled.
set -eu

# package           what it is for
wanted='
ca-certificates     Python packages over TLS
python3             the system Python that makes the virtual environment
python3-venv        the same
ipvsadm             the reference that the tests compare the table with
keepalived          what an imported configuration is compared with
iproute2            namespaces, links, routes
kmod                IPVS modules, in the host and in a guest
util-linux          nsenter, setpriv, unshare
user-mode-linux     a kernel with IPVS for tests, where the host has none
qemu-system-x86     a kernel with an exact clock, for benchmarks
docker.io           a private engine for end-to-end tests
busybox-static      the image that its containers run
nftables            reads what clusterf has set, to compare it
iptables            marks packets, and loses them, in the lab
etcd-server         what a cluster shares, for tests
etcd-client         etcdctl, for the same
openssl             certificates for an engine that speaks TLS
curl                a client that is not ours
gcc                 the C sender of the benchmarks
libc6-dev           the same
libpython3-dev      the system Python as a shared library, for the frozen executable
binutils            the frozen executable: strip, and what its libraries need
debhelper           the Debian package
docker-compose      tries the Compose file
libcap2-bin         setcap, for the image of the tests
debootstrap         a root without Python, for its tests
e2fsprogs           the disk of a guest with systemd, for the same
make                the Makefile
git                 the version of a build
fish                completes command lines, for tests
zsh                 the same
man-db              shows the man pages as people see them, for tests
mandoc              finds fault with them
'

# Already usable under another package's name: Docker and Python from their makers, for instance.
present() {
    case $1 in
        docker.io) command -v dockerd > /dev/null ;;
        python3) command -v python3 > /dev/null ;;
        libpython3-dev) test "$(command -v python3)" != /usr/bin/python3 ;;
        etcd-server) command -v etcd > /dev/null ;;
        etcd-client) command -v etcdctl > /dev/null ;;
        gcc) command -v gcc > /dev/null ;;
        *) return 1 ;;
    esac
}

installed() {
    test "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed
}

command -v dpkg-query > /dev/null || {
    echo "not a Debian system; install the equivalents of:" $(echo "$wanted" | cut -d' ' -f1) >&2
    exit 1
}

missing=$(
    echo "$wanted" | while read -r package _; do
        test -z "$package" || installed "$package" || present "$package" || echo "$package"
    done
)
if [ -z "$missing" ]; then
    echo "system packages: all there"
    exit 0
fi
echo "system packages missing:" $missing
test "${1:-}" != --check || exit 1
if [ "$(id -u)" != 0 ]; then
    echo "run this as root to install them" >&2
    exit 1
fi

# Packages that bring a daemon would start it; the tests start their own, in namespaces.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # one word a package
apt-get install -q -y --no-install-recommends $missing
