# Stand-in for redis:8: uid 999, data in /data, which is no declared volume, protected mode off.
# What differs from redis/docker-library-redis, debian/Dockerfile:
#
#                   official                     here
#   version         8.6, built with the modules  Debian's 8.0, none: no JSON, search, time series
#   protected mode  off in the program           off by an argument of the entrypoint
FROM standin/debian:trixie-slim

RUN groupadd --system --gid 999 redis \
    && useradd --system --gid 999 --uid 999 --home-dir /var/lib/redis redis \
    && apt-get update \
    && apt-get install -y --no-install-recommends redis-server \
    && rm -rf /etc/redis /var/lib/redis /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && install -d -o redis -g redis /data

COPY --chmod=755 <<'EOS' /usr/local/bin/docker-entrypoint.sh
#!/bin/sh
set -e

case "$1" in
  -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
  fi
  # Debian's build starts with protected mode on, the official one with it off. The configuration file, if any,
  # has to stay the first argument, and what the caller sets has to come last.
  shift
  case "$1" in
    "" | -*) set -- redis-server --protected-mode no "$@" ;;
    *) config=$1 && shift && set -- redis-server "$config" --protected-mode no "$@" ;;
  esac
fi
exec "$@"
EOS

WORKDIR /data

ENTRYPOINT ["docker-entrypoint.sh"]

EXPOSE 6379

CMD ["redis-server"]
