# Stand-in for registry:3: images in /var/lib/registry, served at port 5000, settings in /etc/distribution/config.yml.
# What differs from distribution/distribution-library-image, Dockerfile:
#
#             official                  here
#   version   3.0.0                     Debian's 2.8.3, the newest that it has
#   system    Alpine                    Debian
#   port      also 5001, with metrics   5000 alone
FROM standin/debian:trixie-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends docker-registry \
    && rm -rf /var/lib/docker-registry /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && ln -s docker-registry /usr/bin/registry \
    && install -d /var/lib/registry

COPY <<'EOS' /etc/distribution/config.yml
version: 0.1
log:
  fields:
    service: registry
storage:
  delete:
    enabled: true
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
EOS

COPY --chmod=755 <<'EOS' /entrypoint.sh
#!/bin/sh
set -e

case "$1" in
  *.yaml | *.yml) set -- registry serve "$@" ;;
  serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
EOS

VOLUME /var/lib/registry

EXPOSE 5000

ENTRYPOINT ["/entrypoint.sh"]

CMD ["/etc/distribution/config.yml"]
