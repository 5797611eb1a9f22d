# shellcheck shell=bash
# A Docker engine with compose v2 and buildx: found, or installed and started on Debian and Ubuntu.

DOCKER_LOG=/var/log/dockerd.log
DOCKER_DOCS="https://docs.docker.com/get-docker/"

# Engine 23 is the first whose default builder is BuildKit with what the Dockerfiles here use.
OLDEST_ENGINE=23

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

engine_is_ready() {
  local version
  version=$(engine_version) && [ -n "$version" ] && [ "${version%%.*}" -ge "$OLDEST_ENGINE" ] &&
    [ -n "$(compose_version)" ] && [ -n "$(buildx_version)" ]
}

# Prints ID and VERSION_ID of a Linux, nothing elsewhere.
os_release() {
  # shellcheck source=/dev/null
  [ "$(uname -s)" != Linux ] || (. /etc/os-release && say "$ID ${VERSION_ID:-}") 2>/dev/null
}

# Prints the packages that hold the engine on this distribution ($1 = ID, $2 = VERSION_ID), or fails.
engine_packages() {
  case "${1:-} ${2:-}" in
    "debian 12" | "debian 13") say docker.io docker-cli containerd docker-compose docker-buildx ;;
    "ubuntu 22.04" | "ubuntu 24.04") say docker.io docker-compose-v2 docker-buildx ;;
    *) return 1 ;;
  esac
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

# Prints apt sources for Debian suite $1 at the mirrors this machine itself uses, so that none is named here.
# Prints nothing on Ubuntu, whose mirrors carry no Debian.
debian_sources() {
  # shellcheck disable=SC2016  # apt expands these
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v to="$1" -v from="$(. /etc/os-release && say "$VERSION_CODENAME")" '
      $3 == "main" && index($2, from) == 1 {
        sub(from, to, $2)
        print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $1, $2, "main"
      }'
}

# Debian 12 has engine 20.10 and no compose v2. Debian 13's packages run on it, taken through a private
# apt configuration: the machine's own sources stay as they were, and only these packages come from 13.
install_from_trixie() {
  local apt options
  apt=$(mktemp -d)
  chmod 755 "$apt"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
  debian_sources trixie >"$apt/sources.list"
  options="-o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists=$apt/lists -o Dir::Cache=$apt/cache
    -o APT::Sandbox::User=root"
  # shellcheck disable=SC2086  # options and packages are lists of words
  (cd "$apt/debs" && apt_get $options update && apt_get $options download "$@") &&
    apt_get update &&
    apt_get install -y --no-install-recommends "$apt"/debs/*.deb iptables runc &&
    rm -rf "$apt"
}

install_engine() {
  local release packages log
  release=$(os_release)
  # shellcheck disable=SC2086  # release is "ID VERSION_ID", packages a list of words
  packages=$(engine_packages $release)
  say "setup: installing a Docker engine from the distribution's packages: $packages"
  log=$(mktemp)
  # shellcheck disable=SC2086
  if [ "$release" = "debian 12" ]; then
    install_from_trixie $packages
  else
    apt_get update && apt_get install -y --no-install-recommends $packages
  fi >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "the engine's packages could not be installed (the last lines of apt are above)"
  }
  rm -f "$log"
}

engine_log() {
  if [ -d /run/systemd/system ]; then
    as_root journalctl -u docker --no-pager -n 20
  else
    as_root tail -n 20 "$DOCKER_LOG"
  fi
}

# Starts dockerd in a session of its own with no inherited descriptor, so that it outlives the caller and never
# holds the caller's output open. Prints its process id.
start_dockerd() {
  as_root sh -c "setsid nohup dockerd </dev/null >$DOCKER_LOG 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- & echo \$!"
}

engine_answers_or_died() { engine_answers || ! as_root kill -0 "$1" 2>/dev/null; }

start_engine() {
  say "setup: starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    as_root systemctl restart docker || true
    wait_until 60 engine_answers || true
  else
    wait_until 60 engine_answers_or_died "$(start_dockerd)" || true
  fi
  engine_answers || {
    engine_log >&2
    die "the Docker engine does not answer (the last lines of its log are above)"
  }
}

# A user who is not yet in the docker group gets the socket for now and the group from the next login on.
let_user_in() {
  [ "$(id -u)" = 0 ] && return
  as_root usermod -aG docker "$(id -un)"
  as_root chgrp "$(id -g)" /var/run/docker.sock
}

# Says in one line what is missing and how to get it; the caller exits.
how_to_get_docker() {
  case "$(uname -s)" in
    Darwin | MINGW* | MSYS*) say "no Docker engine answers: install and start Docker Desktop, $DOCKER_DOCS" ;;
    *) say "no Docker engine 23+ with compose v2 and buildx answers: install it ($DOCKER_DOCS), start it, and see that 'docker info' works for $(id -un)" ;;
  esac
}

can_install() {
  # shellcheck disable=SC2046  # two words
  engine_packages $(os_release) >/dev/null && can_be_root
}

ensure_engine() {
  engine_is_ready && return
  [ -z "${LABS_NO_INSTALL:-}" ] || die "$(how_to_get_docker) (LABS_NO_INSTALL is set: nothing was installed)"
  can_install || die "$(how_to_get_docker)"
  engine_answers && [ "$(engine_version | cut -d. -f1)" -lt "$OLDEST_ENGINE" ] &&
    die "the running engine is $(engine_version), $OLDEST_ENGINE or newer is needed: stop it and repeat, the newer one keeps your images"
  if command -v dockerd >/dev/null && [ -n "$(compose_version)" ] && [ -n "$(buildx_version)" ]; then
    engine_answers || start_engine
    engine_is_ready && return
  fi
  install_engine
  start_engine
  let_user_in
  engine_is_ready || die "the engine was installed but is not complete: run 'make doctor'"
}

# A build that runs out of disk ends in pages of text with the cause somewhere among them.
ensure_disk() {
  local free
  free=$(engine_disk_free)
  [ -z "$free" ] || [ "$free" -ge "$LEAST_DISK" ] ||
    die "only $free MiB are free on the Docker engine's disk, $LEAST_DISK are needed: 'docker system df' shows what is used, 'docker builder prune' and 'docker image prune' free some"
}
