#!/bin/sh
# First program of a user-mode guest: makes the host's file tree, which is the guest's root, fit to
# work in, then runs the agent and powers off when the agent ends.
#
# The kernel hands over what it finds on its command line as NAME=value:
#   LAB_PYTHON, LAB_AGENT, LAB_EXCHANGE   the agent and its directory
#   LAB_KEEP                              paths, separated by colons, that a tmpfs must not hide
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

mount -t proc proc /proc
mount -t sysfs sysfs /sys
# As a machine has them: so the lab can run in here as on a host, with an engine.
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# devtmpfs is mounted by the kernel itself.
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
ln -s /proc/self/fd /dev/fd

# Whatever a program writes by habit must not land on the host's disk.
volatile="/tmp /run /var/tmp /var/log"

# A project that lies below one of them (a fresh checkout in /tmp) stays visible.
number=0
IFS=:
for path in $LAB_KEEP; do
    number=$((number + 1))
    mkdir -p "/dev/shm/keep/$number"
    mount --bind "$path" "/dev/shm/keep/$number"
done
unset IFS
for path in $volatile; do
    mount -t tmpfs tmpfs "$path"
done
number=0
IFS=:
for path in $LAB_KEEP; do
    number=$((number + 1))
    mkdir -p "$path"
    mount --move "/dev/shm/keep/$number" "$path"
done
unset IFS

# The modules lie outside /lib/modules: show modprobe, ours and the kernel's own calls, where.
mkdir -p /run/modules/lib/modules /run/netns
ln -s "/usr/lib/uml/modules/$(uname -r)" /run/modules/lib/modules/
printf '#!/bin/sh\nexec modprobe -d /run/modules "$@"\n' > /run/modprobe
chmod +x /run/modprobe
echo /run/modprobe > /proc/sys/kernel/modprobe

modprobe -d /run/modules -a ipv6 ip_vs \
    ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_lblc ip_vs_lblcr ip_vs_dh ip_vs_sh ip_vs_mh \
    ip_vs_sed ip_vs_nq ip_vs_fo ip_vs_ovf \
    nf_conntrack dummy veth bridge tun ipip ip6_tunnel sit ip_gre ip6_gre fou fou6 vxlan

echo 1 > /proc/sys/kernel/sysrq
hostname lab
ip link set lo up

"$LAB_PYTHON" -I -S "$LAB_AGENT" "$LAB_EXCHANGE" < /dev/tty1 > /dev/tty1
echo o > /proc/sysrq-trigger
# Not reached unless sysrq failed; an init that returns is a panic, which ends the guest too.
sleep 5
