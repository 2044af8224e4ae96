#!/bin/busybox sh
# The guest's first process: file systems, network, and a shell on the second serial line that the test speaks with.
/bin/busybox mkdir -p /etc /proc /sys /dev /tmp /run /var/lib/chrony /run/chrony /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mkdir -p /dev/shm
/bin/busybox mount -t tmpfs shm /dev/shm
/bin/busybox --install -s /bin
export PATH=/usr/local/bin:/bin:/usr/bin HOME=/root LC_ALL=C TZ=UTC
# In the order of their needs, whichever that is.
for turn in 1 2 3 4; do
  for module in /modules/*.ko; do insmod "$module" 2>/dev/null; done
done
hostname guest
ip link set lo up
for card in 0 1; do
  ip link set "eth$card" up
  ip addr add "10.0.$((card + 2)).15/24" dev "eth$card"
done
echo "127.0.0.1 localhost guest" > /etc/hosts
echo "root:x:0:0:root:/root:/bin/sh" > /etc/passwd
echo "root:x:0:" > /etc/group
# Orphans are init's: it waits for them.
setsid /bin/sh /line.sh < /dev/ttyS1 > /dev/ttyS1 2>/dev/null &
while true; do wait; sleep 1; done
