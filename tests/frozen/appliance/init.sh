#!/bin/sh
# First program of the appliance where it is a user-mode guest: the modules, its own folders, the
# network cards; then the agent, and the end. Its root is read-only, as an appliance's may be.
#
# /mnt is the folder of exchange, shown read-only like the rest until it is mounted here.
# The kernel hands over what it finds on its command line as NAME=value:
#   APPLIANCE_EXCHANGE   the same folder outside
#   APPLIANCE_CARDS      names for vec0, vec1 ..., separated by colons
PATH=/usr/sbin:/usr/bin
export PATH

mount -t hostfs -o "$APPLIANCE_EXCHANGE" none /mnt
/mnt/bin/busybox xargs -n 1 /mnt/bin/busybox insmod < /mnt/modules
mount -t proc proc /proc
mount -t sysfs sysfs /sys
echo 1 > /proc/sys/kernel/sysrq
sh /mnt/folders.sh

number=0
IFS=:
for name in $APPLIANCE_CARDS; do
    /mnt/bin/busybox ip link set "vec$number" name "$name"
    /mnt/bin/busybox ip link set "$name" up
    number=$((number + 1))
done
unset IFS
/mnt/bin/busybox ip link set lo up

stty raw -echo < /dev/tty1
sh /mnt/agent.sh < /dev/tty1 > /dev/tty1
echo o > /proc/sysrq-trigger
# Not reached unless sysrq failed; an init that returns is a panic, which ends the guest too.
sleep 5
