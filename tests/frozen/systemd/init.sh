#!/bin/busybox sh
# First program of the guest: lays what is tested over Debian's root, as a package would, and hands over.
busybox=/bin/busybox
$busybox mkdir -p /dev /root
$busybox mount -t devtmpfs devtmpfs /dev
while read -r module; do
    $busybox insmod "$module"
done < /modules
$busybox mount -t ext4 /dev/vda /root
$busybox cp -a /payload/. /root/
$busybox chroot /root systemctl --quiet enable lab-network.service lab-agent.service
if [ -e /root/usr/lib/clusterf ]; then
    $busybox chroot /root systemd-sysusers clusterf.conf
    $busybox chroot /root systemctl --quiet enable clusterf.service
fi
exec $busybox switch_root /root /lib/systemd/systemd
