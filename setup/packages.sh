# shellcheck shell=bash
# Packages of Debian and Ubuntu: which ones hold a Docker engine, and how they are installed.

# Prints ID and VERSION_ID of a Linux, nothing elsewhere. Debian's next release, and sid, have no VERSION_ID.
os_release() {
  # shellcheck source=/dev/null
  [ "$(uname -s)" != Linux ] || (. /etc/os-release && say "$ID ${VERSION_ID:-}") 2>/dev/null
}

# Prints the packages that hold the engine on this distribution ($1 = ID, $2 = VERSION_ID), or fails.
engine_packages() {
  case "${1:-} ${2:-}" in
    "debian 12" | "debian 13" | "debian ") say docker.io docker-cli containerd docker-compose docker-buildx ;;
    "ubuntu 22.04" | "ubuntu 24.04") say docker.io docker-compose-v2 docker-buildx ;;
    *) return 1 ;;
  esac
}

# The same for this machine.
distribution_packages() {
  # shellcheck disable=SC2046  # two words
  engine_packages $(os_release)
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
can_install() { distribution_packages >/dev/null && can_be_root; }

# Nothing that is installed is removed or replaced.
KEEP="-y --no-install-recommends --no-remove --no-upgrade"

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

# Prints apt sources for Debian suite $1 at the mirrors this machine itself uses. Ubuntu's carry no Debian: Debian's own then.
debian_sources() {
  local key="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
  case "$(os_release)" in
    "ubuntu "*) say "$key http://deb.debian.org/debian $1 main" ;;
    *)
      # shellcheck disable=SC2016  # apt expands these
      apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v to="$1" -v from="$(codename)" -v key="$key" '
          $3 == "main" && ($2 == "sid" || index($2, from) == 1) { sub(/^[a-z]+/, to, $2); print key, $1, $2, "main" }'
      ;;
  esac
}

codename() { (. /etc/os-release && say "$VERSION_CODENAME"); }

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
    apt_get install $KEEP "$apt"/debs/*.deb iptables runc &&
    rm -rf "$apt"
}

# Installs packages $@, of the distribution or of Docker's own sources, wherever the machine has them from.
install_packages() {
  local log install="apt_get install $KEEP"
  say "setup: installing $*"
  log=$(mktemp)
  case "$(os_release) $1" in
    "debian 12 "*-plugin) ;;
    "debian 12 "*) install=install_from_trixie ;;
  esac
  # shellcheck disable=SC2086  # a command and its options
  { apt_get update && $install "$@"; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "these packages could not be installed: $* (the last lines of apt are above)"
  }
  rm -f "$log"
}
