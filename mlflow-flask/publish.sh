#!/usr/bin/env bash
# Builds both images, pushes them under one tag, prints their digests: REGISTRY=localhost:5002 TAG=1.0.0 ./publish.sh
set -euo pipefail

cd "$(dirname "$0")"

# The same content gets the same digest: no attestation, which holds the time of the build.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

die() { printf 'publish: %s\n' "$1" >&2; exit 2; }

usage="e.g. REGISTRY=localhost:5002 TAG=1.0.0"
[ -n "${REGISTRY:-}" ] || die "REGISTRY is not set: give host[:port][/path], $usage"
[ -n "${TAG:-}" ] || die "TAG is not set: give the version, $usage"
case "$REGISTRY" in *[!a-z0-9.:/_-]* | /* | */) die "REGISTRY=$REGISTRY: give host[:port][/path] in lower case, $usage" ;; esac
case "$TAG" in
  latest) die "TAG=latest says nothing about what it is: give the version, $usage" ;;
  *[!A-Za-z0-9._-]* | [.-]*) die "TAG=$TAG: letters, digits and . _ - only, $usage" ;;
esac

# In a copy that is no git repository yet nobody can say which commit this is.
revision=$(git rev-parse HEAD 2>/dev/null) || revision=unknown
# What is built is this folder as it stands: with edits or new files in it, it is not that commit.
[ -z "$(git status --porcelain . 2>/dev/null)" ] || revision=$revision-dirty

# As compose names images: after the project, which is this folder unless you say otherwise.
project=$(docker compose config | sed -n 's/^name: //p')

for name in mlapp mlflow; do
  image="$REGISTRY/$project-$name:$TAG"
  docker build --quiet --file "Dockerfile.$name" --tag "$image" \
    --label "org.opencontainers.image.version=$TAG" \
    --label "org.opencontainers.image.revision=$revision" . >/dev/null
  docker push "$image"
done

printf '\nTo deploy exactly these, name them by digest:\n'
# Docker leaves out the name of its own registry.
shown=${REGISTRY#docker.io/}
for name in mlapp mlflow; do
  docker image inspect "$REGISTRY/$project-$name:$TAG" \
    --format "{{range .RepoDigests}}{{println .}}{{end}}" | grep -F "$shown/$project-$name@"
done
