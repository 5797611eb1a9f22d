# shellcheck shell=bash
# A Docker engine with compose v2 and buildx: found, or installed and started on Debian and Ubuntu.

# shellcheck source=packages.sh
. "${BASH_SOURCE[0]%/*}/packages.sh"

DOCKER_LOG=/var/log/dockerd.log
DOCKER_PID=/var/run/docker.pid
# There where systemd runs.
SYSTEMD=/run/systemd/system
DOCKER_DOCS="https://docs.docker.com/get-docker/"

# Engine 25 is the first that knows a health check's start interval.
OLDEST_ENGINE=25

# MiB of the engine's disk without which no lab is started.
LEAST_DISK=1024

engine_version() { docker version --format '{{.Server.Version}}' 2>/dev/null; }
engine_answers() { [ -n "$(engine_version)" ]; }
compose_version() { docker compose version --short 2>/dev/null; }
buildx_version() { docker buildx version 2>/dev/null | awk '{print $2}'; }

# Prints the MiB free on the disk where the engine keeps images, or nothing where that disk is not this machine's
# (Docker Desktop, a remote engine).
engine_disk_free() {
  local root
  root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
  [ -n "$root" ] && [ -d "$root" ] || return 0
  df -Pk "$root" | awk 'NR == 2 { print int($4 / 1024) }'
}

# By the runtime of the NVIDIA Container Toolkit or, in newer engines, by the devices it describes (CDI).
engine_knows_gpus() { docker info --format '{{json .}}' 2>/dev/null | grep -Eq '"nvidia":|nvidia\.com/gpu'; }

engine_is_ready() {
  local version
  version=$(engine_version) && [ -n "$version" ] && [ "${version%%.*}" -ge "$OLDEST_ENGINE" ] &&
    [ -n "$(compose_version)" ] && [ -n "$(buildx_version)" ]
}

# Podman's socket answers as an engine of version 5. It has no BuildKit: buildx would fetch one from a registry to build with.
is_podman() { docker version 2>/dev/null | grep 'Podman Engine' >/dev/null; }

# Says in one line why the engine of version $1 cannot be used.
why_not() {
  if is_podman; then
    say "Podman is not supported, its socket has no BuildKit: use a Docker engine, $DOCKER_DOCS"
  else
    say "the engine is $1, $OLDEST_ENGINE or newer is needed: upgrade it, $DOCKER_DOCS"
  fi
}

# Prints the packages with what is missing of compose and buildx, for the vendor that this machine's docker came from;
# fails where no package manager brought it.
missing_plugins() {
  local packages package
  case "$(dpkg -S "$(command -v docker)" 2>/dev/null)" in
    docker-ce-cli:*) packages="docker-compose-plugin docker-buildx-plugin" ;;
    docker-cli:* | docker.io:*) packages=$(distribution_packages) || return 1 ;;
    *) return 1 ;;
  esac
  for package in $packages; do
    case "$package" in
      *compose*) [ -n "$(compose_version)" ] || say "$package" ;;
      *buildx*) [ -n "$(buildx_version)" ] || say "$package" ;;
    esac
  done | paste -sd ' ' -
}

# Says in one line how to get them.
how_to_get_plugins() {
  local packages
  if packages=$(missing_plugins); then
    say "Docker lacks compose v2 or buildx: 'sudo apt-get install $packages'"
  else
    say "Docker lacks compose v2 or buildx: see $DOCKER_DOCS"
  fi
}

engine_log() {
  if [ -d "$SYSTEMD" ]; then
    as_root journalctl -u docker --no-pager -n 20
  else
    as_root tail -n 20 "$DOCKER_LOG"
  fi
}

# Starts dockerd in a session of its own with no inherited descriptor, so that it outlives the caller and never
# holds the caller's output open. Prints its process id.
start_dockerd() {
  as_root sh -c "setsid nohup dockerd </dev/null >>$DOCKER_LOG 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- & echo \$!"
}

# Prints the process id of a dockerd that is there already, ready or not, or fails.
running_dockerd() {
  local pid
  pid=$(cat "$DOCKER_PID" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] && say "$pid"
}

root_gets_an_answer() { [ -n "$(as_root docker version --format '{{.Server.Version}}' 2>/dev/null)" ]; }
answers_or_died() { root_gets_an_answer || ! as_root kill -0 "$1" 2>/dev/null; }

# Starts what does not run; an engine that runs is waited for, never restarted.
start_engine() {
  local pid
  ! root_gets_an_answer || return 0
  say "setup: starting the Docker engine"
  if [ -d "$SYSTEMD" ]; then
    ! as_root systemctl start docker || wait_until 60 root_gets_an_answer || true
  else
    pid=$(running_dockerd) || pid=$(start_dockerd)
    wait_until 60 answers_or_died "$pid" || true
  fi
  root_gets_an_answer || {
    engine_log >&2
    die "the Docker engine does not answer (the last lines of its log are above)"
  }
}

# Where no engine answers, says in one line why, unless this machine's own has to be installed or started; then it fails.
who_keeps_silent() {
  local context
  context=$(docker context show 2>/dev/null) || context=default
  if [ -n "${DOCKER_HOST:-}" ]; then
    say "no engine answers at DOCKER_HOST=$DOCKER_HOST: start it there, or 'unset DOCKER_HOST' to use this machine's"
  elif [ "${context:-default}" != default ]; then
    say "the engine of the Docker context '$context' does not answer: start it, or 'docker context use default'"
  elif runs_for_others; then
    say "the Docker engine runs, but $(id -un) may not use it: 'sudo usermod -aG docker $(id -un)', then log in anew"
  else
    return 1
  fi
}

runs_for_others() {
  [ "$(id -u)" != 0 ] || return 1
  case "$(docker version 2>&1)" in *"permission denied"*) ;; *) return 1 ;; esac
  ! can_be_root || root_gets_an_answer
}

# Says in one line what is missing and how to get it; the caller exits.
how_to_get_docker() {
  case "$(uname -s)" in
    Darwin | MINGW* | MSYS*) say "no Docker engine answers: install and start Docker Desktop, $DOCKER_DOCS" ;;
    *) say "no Docker engine $OLDEST_ENGINE+ with compose v2 and buildx answers: install it ($DOCKER_DOCS), start it, and see that 'docker info' works for $(id -un)" ;;
  esac
}

may_install() { [ -z "${LABS_NO_INSTALL:-}" ] && can_install; }

# What is said after a remedy where something could have been installed.
not_allowed() { [ -z "${LABS_NO_INSTALL:-}" ] || say " (LABS_NO_INSTALL is set: nothing was installed)"; }

# Installs this machine's engine where there is none, and starts it. Whoever installs it is let in: the socket
# for now, the group from the next login on.
get_engine() {
  may_install || die "$(how_to_get_docker)$(not_allowed)"
  # A user's PATH may lack the folder that Debian puts it in.
  if (PATH=$PATH:/usr/sbin && command -v dockerd >/dev/null); then
    start_engine
  else
    # shellcheck disable=SC2046  # a list of words
    install_packages $(distribution_packages)
    start_engine
    [ "$(id -u)" = 0 ] || {
      as_root usermod -aG docker "$(id -un)"
      as_root chgrp "$(id -g)" /var/run/docker.sock
    }
  fi
  engine_answers || die "$(who_keeps_silent || how_to_get_docker)"
}

get_plugins() {
  local packages
  if ! { may_install && packages=$(missing_plugins); }; then die "$(how_to_get_plugins)$(not_allowed)"; fi
  # shellcheck disable=SC2086  # a list of words
  install_packages $packages
}

ensure_engine() {
  local reason version
  engine_is_ready && return
  if ! engine_answers; then
    if reason=$(who_keeps_silent); then die "$reason"; fi
    get_engine
  fi
  version=$(engine_version)
  [ "${version%%.*}" -ge "$OLDEST_ENGINE" ] || die "$(why_not "$version")"
  [ -n "$(compose_version)" ] && [ -n "$(buildx_version)" ] || get_plugins
  engine_is_ready || die "Docker is installed but not complete: run 'make doctor'"
}

# A build that runs out of disk ends in pages of text with the cause somewhere among them.
ensure_disk() {
  local free
  free=$(engine_disk_free)
  [ -z "$free" ] || [ "$free" -ge "$LEAST_DISK" ] ||
    die "only $free MiB are free on the Docker engine's disk, $LEAST_DISK are needed: 'docker system df' shows what is used, 'docker builder prune' and 'docker image prune' free some"
}
