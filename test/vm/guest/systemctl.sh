#!/bin/sh
# What `vitrine clock reset` asks of a service manager, for the one service that this guest has. Its process is named
# after the loader that it runs under: only its file tells which it is.
running() { [ -s /run/chrony/chronyd.pid ] && kill -0 "$(cat /run/chrony/chronyd.pid)" 2> /dev/null; }
case "$1 $2" in
  "is-active --quiet") [ "$3" = chrony.service ] && running || exit 3 ;;
  "stop chrony.service")
    running || exit 0
    kill "$(cat /run/chrony/chronyd.pid)"
    while running; do usleep 20000; done ;;
  "start chrony.service")
    # Open to others, chronyd takes no orders there.
    mkdir -p /run/chrony
    chmod 750 /run/chrony
    chronyd -u root -f /etc/chrony/chrony.conf ;;
  *) exit 5 ;;
esac
