#!/bin/sh
# Stops every process that comes of the first one. A health check does not: stopped while it starts, it would hold up
# the engine's watch.
stop() {
  # shellcheck disable=SC2013  # numbers on one line, no lines to read
  for child in $(cat /proc/"$1"/task/*/children); do
    kill -STOP "$child"
    stop "$child"
  done
}
stop 1
