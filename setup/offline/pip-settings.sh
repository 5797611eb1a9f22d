# shellcheck shell=bash
# This machine's pip settings as files for a build. Folders of this machine are left out: a build cannot see them.

# Prints the values of pip's setting $1, one a line.
pip_values() {
  python3 -m pip config list 2>/dev/null | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" |
    awk '{ gsub(/\\n/, " "); for (i = 1; i <= NF; i++) if ($i ~ /^https?:/ || $i !~ /\//) print $i }' | sort -u
}

pip_conf() {
  local name values
  say "[global]"
  for name in index-url extra-index-url find-links trusted-host; do
    values=$(pip_values "$name" | paste -sd' ' -)
    [ -z "$values" ] || say "$name = $values"
  done
}

# $1 = pip's name of a setting, $2 = uv's, $3 = "list" or "value"
uv_setting() {
  local quoted
  quoted=$(pip_values "$1" | sed 's/.*/"&"/' | paste -sd, -)
  [ -n "$quoted" ] || return 0
  if [ "$3" = list ]; then say "$2 = [$quoted]"; else say "$2 = ${quoted%%,*}"; fi
}

uv_toml() {
  say "system-certs = true" # uv trusts its own list of certificates otherwise
  uv_setting index-url index-url value
  uv_setting extra-index-url extra-index-url list
  uv_setting find-links find-links list
  uv_setting trusted-host allow-insecure-host list
}
