#!/bin/sh
# What `vitrine clock reset` asks of a service manager, for the one service that this guest has.
case "$1 $2" in
  "is-active --quiet") [ "$3" = chrony.service ] && exec pidof chronyd > /dev/null; exit 3 ;;
  "stop chrony.service")
    killall chronyd
    while pidof chronyd > /dev/null; do usleep 20000; done ;;
  "start chrony.service")
    mkdir -p /run/chrony
    chronyd -u root -f /etc/chrony/chrony.conf ;;
  *) exit 5 ;;
esac
