# shellcheck shell=bash
# Base images: present, pulled, or, where no registry answers, a local stand-in with the same tag.

# shellcheck source=offline/standins.sh
. "$(dirname "${BASH_SOURCE[0]}")/offline/standins.sh"

NO_REGISTRY='dial tcp|no such host|refused|timeout|deadline exceeded|TLS|x509|unreachable|proxyconnect|EOF'

# The images from elsewhere that the Dockerfiles and compose files in folder $1 name. What a compose file
# builds itself carries no tag; what comes from elsewhere always does.
base_images() {
  local file
  if [ "$1" = exercises ]; then
    # Each check says which images it needs besides Python's.
    { say 'IMAGES = ("python:3.13-slim",)' && cat exercises/*/check.py; } | grep '^IMAGES' | grep -o '"[^"]*"' | tr -d '"' | sort -u
    return
  fi
  {
    for file in "$1"/Dockerfile* "$1"/*/Dockerfile* "$1"/*/*/Dockerfile*; do
      [ -f "$file" ] && images_in_dockerfile "$file"
    done
    { cat "$1"/compose*.yaml "$1"/production/*.yaml 2>/dev/null || true; } | awk '$1 == "image:" && $2 ~ /:[^}]*$/ && $2 !~ /^\$/ { print $2 }'
  } | sort -u
}

# A stage named gpu is left out: its base has gigabytes, and setup/lab4.sh gets it where there is a GPU.
images_in_dockerfile() {
  awk 'toupper($1) == "FROM" && $NF != "gpu" {
         image = $2 ~ /^--/ ? $3 : $2
         if (!(image in stage) && image != "scratch") print image
         if (toupper($(NF - 1)) == "AS") stage[$NF] = 1
       }' "$1"
}

is_present() { docker image inspect "$1" >/dev/null 2>&1; }

# Pulls image $1. Returns 2 where no registry answers; a registry that answers "no" ends the run.
pull() {
  local log pid status=0
  log=$(mktemp)
  docker pull "$1" >"$log" 2>&1 &
  pid=$!
  # The first line comes when the registry has answered; after that a slow download may take its time.
  if ! wait_until 20 pull_spoke "$pid" "$log"; then
    kill "$pid" 2>/dev/null || true
    say "timeout" >>"$log"
  fi
  wait "$pid" || status=$?
  [ "$status" = 0 ] && rm -f "$log" && return
  if grep -q 'Pulling from' "$log"; then
    tail -n 1 "$log" >&2
    die "the download of $1 broke off (its last line is above): run the same command again"
  fi
  grep -Eq "$NO_REGISTRY" "$log" && rm -f "$log" && return 2
  tail -n 3 "$log" >&2
  die "the registry answers but does not hand out $1 (its words are above); if it limits downloads, 'docker login' helps"
}

pull_spoke() { [ -s "$2" ] || ! kill -0 "$1" 2>/dev/null; }

ensure_image() {
  local status=0
  is_present "$1" && return
  say "setup: pulling $1"
  pull "$1" || status=$?
  [ "$status" = 0 ] && return
  build_standin "$1"
}
