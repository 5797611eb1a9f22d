# Stand-in for python:3.13-slim: python and pip in /usr/local/bin, packages in /usr/local/lib/python3.13/site-packages.
# What differs from docker-library/python, 3.13/slim-trixie/Dockerfile:
#
#                   official              here
#   Python          built in /usr/local   Debian's; a venv over /usr/local sees it
#   prefix          /usr/local            /usr/local, base prefix /usr
#   sys.path        site-packages         site-packages, then Debian's empty dist-packages
#   PYTHON_VERSION  with the patch level  3.13
#   LANG            not set               C.UTF-8
FROM standin/debian:trixie-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends python3.13-venv \
    && rm -f /usr/lib/python3.13/EXTERNALLY-MANAGED \
    && python3.13 -m venv --system-site-packages /usr/local \
    && rm -rf /usr/lib/python3.13/test /usr/local/share/python-wheels \
    && find /usr/lib/python3 /usr/lib/python3.13 /usr/local/lib -name __pycache__ -prune -exec rm -rf {} + \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

ENV LANG=C.UTF-8 PYTHON_VERSION=3.13

CMD ["python3"]
