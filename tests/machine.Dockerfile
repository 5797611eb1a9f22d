# A machine with an engine of its own, from the distribution's packages. It keeps images in containerd's store, as new
# installations of Docker do; the machine that runs the suite may have the older one.
FROM python:3.13-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        docker.io docker-cli docker-compose docker-buildx iptables iproute2 procps git make zstd \
    && rm -rf /var/lib/apt/lists/*

RUN mkdir -p /etc/docker && echo '{"features": {"containerd-snapshotter": true}}' >/etc/docker/daemon.json

WORKDIR /labs

CMD ["dockerd"]
