#!/usr/bin/env bash
# Builds standin/debian:<suite>-slim: a minimal Debian that knows this machine's package mirror, certificates
# and pip settings, so that builds on top of it reach what this machine reaches.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=../engine.sh
. "$here/../engine.sh"
# shellcheck source=pip-settings.sh
. "$here/pip-settings.sh"

image=$1
suite=${image#*:}
suite=${suite%-slim}

can_install || die "no registry answers, and stand-ins can be built on Debian and Ubuntu only; go online, or 'docker load' the images from a file"

work=$(mktemp -d)
trap 'as_root rm -rf "$work"' EXIT

# debian-archive-keyring: Ubuntu has none by default.
if ! command -v mmdebstrap >/dev/null; then
  say "setup: installing mmdebstrap to build stand-ins with"
  { apt_get update && apt_get install -y --no-install-recommends mmdebstrap debian-archive-keyring; } \
    >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; die "mmdebstrap could not be installed"; }
fi

root="$work/host"
mkdir -p "$root/etc/uv" "$root/etc/ssl/certs"
cat "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" >"$root/etc/ssl/certs/ca-certificates.crt"
pip_conf >"$root/etc/pip.conf"
uv_toml >"$root/etc/uv/uv.toml"

# Debian 12 keeps /bin apart from /usr/bin unless told otherwise, and then drags in perl to merge them.
hooks=()
[ "$suite" = bookworm ] && hooks=(--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr)

say "setup: bootstrapping Debian $suite for the stand-ins"
debian_sources "$suite" >"$work/sources.list"
# shellcheck disable=SC2016  # mmdebstrap expands $1 in its hooks
as_root mmdebstrap --quiet --variant=minbase --include=ca-certificates,netbase,tzdata \
  --aptopt='APT::Install-Recommends "false"' --dpkgopt='force-unsafe-io' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  ${hooks[@]+"${hooks[@]}"} \
  --customize-hook="cp -r '$root/etc' \"\$1/\"" \
  --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*' \
  "$suite" - "$work/sources.list" 2>"$work/mmdebstrap.log" |
  docker import -c 'CMD ["bash"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    -c "LABEL labs.standin=$image" - "$image" >/dev/null || {
  tail -n 20 "$work/mmdebstrap.log" >&2
  die "mmdebstrap failed (its last lines are above)"
}
