# Stand-in for prom/prometheus:v2.53.5.
# What differs from prometheus/prometheus, Dockerfile:
#
#             official                      here
#   version   v2.53.5, the last of 2.53     Debian 13's 2.53.3
#   system    busybox                       Debian
#   web page  /graph                        the older one, at /classic/graph
#   consoles  yes                           no
FROM standin/debian:trixie-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends prometheus \
    && rm -rf /var/lib/prometheus /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && install -d -o nobody -g nogroup /prometheus /etc/prometheus \
    && chown -R nobody:nogroup /etc/prometheus

# By name, as the official image has it.
# hadolint ignore=DL3066
USER nobody

WORKDIR /prometheus

VOLUME /prometheus

EXPOSE 9090

ENTRYPOINT ["/bin/prometheus"]

CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
