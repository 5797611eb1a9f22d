# shellcheck shell=bash
# Shared by the scripts in this folder. Bash 3.2 (macOS) is enough.

# The same content is the same image, whenever it was built.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

say() { printf '%s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Options of `docker compose` for all of lab $1: its compose.yaml, and those of its folders production/ and cluster/.
files_of() {
  local beside
  printf -- '--project-directory %s -f %s/compose.yaml' "$1" "$1"
  for beside in production cluster; do
    if [ -f "$1/$beside/compose.yaml" ]; then printf -- ' -f %s/%s/compose.yaml' "$1" "$beside"; fi
  done
}

# Prints "service image" for every service of lab $1 that is built from it; compose names the image after the project.
built_services() {
  # shellcheck disable=SC2046  # a list of options
  docker compose $(files_of "$1") --profile '*' config | awk '
    /^name:/ { project = $2 }
    /^[a-z]/ { services = ($1 == "services:") }
    services && /^  [^ ]/ { service = $1; sub(/:$/, "", service) }
    services && /^    build:/ { built[service] = 1 }
    END { for (name in built) print name, project "-" name }' | sort
}

# Polls a command until it succeeds. $1 = deadline in seconds, the rest = the command.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}
