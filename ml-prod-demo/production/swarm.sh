#!/usr/bin/env bash
# The lab on a swarm (stack.yaml). On this machine alone, to try it:
#   production/swarm.sh up      makes this engine a swarm of one on loopback, builds the images, deploys
#   production/swarm.sh down    undoes that, volumes and records included
# On a swarm that is there, from one of its managers:
#   REGISTRY=host:5002 TAG=1.0.0 production/swarm.sh push      builds and pushes the images, anywhere
#   REGISTRY=host:5002 TAG=1.0.0 production/swarm.sh deploy    deploys them, or updates what runs
set -euo pipefail

cd "$(dirname "$0")/.."
# The same content is the same image, whenever it was built.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
# In compose's words the lab's name; "-swarm" keeps the volumes of `docker compose up` out of this.
PROJECT=$(docker compose config --no-interpolate | sed -n 's/^name: //p')
export STACK=$PROJECT-swarm PORT=${PORT:-8000}
# On the node of a swarm that `up` made.
OURS=labs.swarm-of-one

die() { printf 'swarm: %s\n' "$1" >&2; exit 2; }
run() { printf '%s\n' "$*" >&2 && "$@"; }
sha() { { sha256sum 2>/dev/null <"$1" || shasum -a 256 <"$1"; } | cut -c 1-12; }
is_active() { case "$(docker info --format '{{.Swarm.LocalNodeState}}')" in inactive | "") return 1 ;; esac; }
is_ours() { [ "$(docker node inspect self --format "{{index .Spec.Labels \"$OURS\"}}" 2>/dev/null)" = yes ]; }
of_stack() { docker "$@" --quiet --filter "label=com.docker.stack.namespace=$STACK"; }
remove() { while read -r id; do docker "$1" rm "$id" >/dev/null; done; }
is_deployed() { [ -n "$(of_stack service ls)" ]; }

build() { run docker compose -f compose.yaml -f production/compose.yaml build --quiet train api recorder; }

# The name under which the swarm gets image $1: that of the registry, or, with none, one made of its content.
image() {
  if [ -n "${REGISTRY:-}" ]; then
    printf '%s/%s-%s:%s' "$REGISTRY" "$PROJECT" "$1" "$TAG"
  else
    printf '%s-%s:%s' "$PROJECT" "$1" "$(docker image inspect --format '{{.Id}}' "$PROJECT-$1" 2>/dev/null | cut -c 8-19)"
  fi
}

need_tag() { [ -z "${REGISTRY:-}" ] || [ -n "${TAG:-}" ] || die "TAG is not set: give the version, e.g. TAG=1.0.0"; }

make_swarm() {
  # What containers publish goes through this network; without the option, on every address of the machine.
  docker network rm docker_gwbridge >/dev/null 2>&1 || true
  docker network create --opt com.docker.network.bridge.enable_icc=false \
    --opt com.docker.network.bridge.host_binding_ipv4="${BIND:-127.0.0.1}" docker_gwbridge >/dev/null
  run docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 >/dev/null || {
    docker network rm docker_gwbridge >/dev/null
    exit 2
  }
  docker node update --label-add "$OURS=yes" --label-add databases=here \
    "$(docker info --format '{{.Swarm.NodeID}}')" >/dev/null
}

up() {
  local name
  if is_active; then
    is_ours || die "this engine is in a swarm already, and not one of this lab: 'production/swarm.sh deploy' deploys to it"
  fi
  if ! { is_active && is_deployed; } && (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
    die "port $PORT is taken: choose another, e.g. PORT=8001"
  fi
  is_active || make_swarm
  build
  for name in train api recorder; do docker tag "$PROJECT-$name" "$(image "$name")"; done
  deploy
  printf '\napi: http://127.0.0.1:%s\n' "$PORT"
}

push() {
  local name
  [ -n "${REGISTRY:-}" ] || die "REGISTRY is not set: give host[:port][/path], e.g. REGISTRY=localhost:5002 TAG=1.0.0"
  need_tag
  build
  for name in train api recorder; do
    docker tag "$PROJECT-$name" "$(image "$name")"
    run docker push --quiet "$(image "$name")"
  done
}

deploy() {
  local name pid deadline
  need_tag
  docker node ls >/dev/null 2>&1 || die "this engine manages no swarm: 'docker swarm init' makes one, 'production/swarm.sh up' one to try"
  [ -n "$(docker node ls --quiet --filter node.label=databases=here)" ] ||
    die "no node is the databases': choose one of 'docker node ls' with 'docker node update --label-add databases=here NODE'"
  docker info --format '{{.SecurityOptions}}' | grep -q no-new-privileges ||
    printf 'swarm: on a swarm, "no-new-privileges" is up to each engine: put "no-new-privileges": true into its daemon.json\n' >&2
  TRAIN_IMAGE=${TRAIN_IMAGE:-$(image train)} API_IMAGE=${API_IMAGE:-$(image api)} RECORDER_IMAGE=${RECORDER_IMAGE:-$(image recorder)}
  for name in "$TRAIN_IMAGE" "$API_IMAGE" "$RECORDER_IMAGE"; do
    docker image inspect "$name" >/dev/null 2>&1 || docker pull --quiet "$name" >/dev/null 2>&1 ||
      die "there is no image $name, here or at its registry; nothing was deployed"
  done
  if [ ! -f production/.secrets/database_password ] && docker secret ls --format '{{.Name}}' | grep -q "^${STACK}_database_password_"; then
    die "the stack has passwords that are not in production/.secrets: deploy from the folder that has them, or 'production/swarm.sh down' first"
  fi
  production/make-secrets.sh
  DATABASE_PASSWORD_SHA=$(sha production/.secrets/database_password)
  REDIS_PASSWORD_SHA=$(sha production/.secrets/redis_password)
  NGINX_SHA=$(sha production/proxy/nginx.conf)
  export TRAIN_IMAGE API_IMAGE RECORDER_IMAGE DATABASE_PASSWORD_SHA REDIS_PASSWORD_SHA NGINX_SHA

  # For ever, where the first containers of a service never become healthy.
  docker stack deploy --detach=false --quiet --prune --with-registry-auth --resolve-image never \
    --compose-file production/stack.yaml "$STACK" &
  pid=$! deadline=$((SECONDS + ${WAIT:-300}))
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      kill "$pid"
      tell_errors "$(docker stack services --quiet "$STACK")"
      die "not all services run after ${WAIT:-300} s: 'docker stack ps --no-trunc $STACK' shows why"
    fi
    sleep 1
  done
  wait "$pid"
  # It ends well after a rollback too.
  for name in $(docker stack services --quiet "$STACK"); do
    case "$(docker service inspect --format '{{with .UpdateStatus}}{{.State}}{{end}}' "$name")" in
      paused | rollback_paused)
        tell_errors "$name"
        die "the update of $(docker service inspect --format '{{.Spec.Name}}' "$name") stopped halfway: 'docker service ps $name' shows where"
        ;;
      rollback*)
        tell_errors "$name"
        die "$(docker service inspect --format '{{.Spec.Name}}' "$name") did not become healthy and was rolled back: what ran before still runs"
        ;;
    esac
  done
  # What nothing uses since a secret was rotated; Docker refuses the others.
  of_stack secret ls | remove secret 2>/dev/null || true
  of_stack config ls | remove config 2>/dev/null || true
}

tell_errors() {
  # shellcheck disable=SC2086  # a list of ids
  docker service ps --no-trunc --format '{{.Name}}: {{.Error}}' $1 | grep -v ': $' | sort -u >&2 || true
}

down() {
  is_active || { printf 'swarm: this engine is in no swarm\n'; return; }
  docker node ls >/dev/null 2>&1 || die "this engine manages no swarm: 'down' is for a manager"
  ! is_deployed || run docker stack rm "$STACK"
  # It is done before its containers and networks are gone.
  while [ -n "$(of_stack ps --all; of_stack network ls)" ]; do sleep 1; done
  # On somebody's swarm the volumes are theirs.
  is_ours || return 0
  of_stack volume ls | remove volume
  docker image ls --format '{{.Repository}}:{{.Tag}}' | sed -nE "/^$PROJECT-(train|api|recorder):[0-9a-f]{12}$/p" | remove image
  # Leaving takes the names of all running containers out of Docker's DNS, those of other projects too.
  if [ -n "$(docker ps --quiet)" ]; then
    printf 'swarm: the swarm of one stays while other containers run; later:\n  docker swarm leave --force; docker network rm docker_gwbridge\n'
  else
    run docker swarm leave --force
    docker network rm docker_gwbridge >/dev/null
  fi
}

case "${1:-}" in
  up | push | deploy | down) "$1" ;;
  *) die "usage: production/swarm.sh up|down, or push|deploy with REGISTRY and TAG" ;;
esac
