#!/usr/bin/env bash
# Prints the path of a Chromium or Chrome for the browser tests; on Debian and Ubuntu installs the
# distribution's when there is none, and the library that Playwright's driver needs where a system is that small.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=engine.sh
. "$here/engine.sh"

find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    command -v "$name" && return
  done
  name="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
  [ -x "$name" ] && say "$name"
}

chromium_packages() {
  case "$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null)" in
    debian) say chromium libatomic1 ;;
    ubuntu) say chromium-browser libatomic1 ;;
    *) return 1 ;;
  esac
}

has_libatomic() { [ "$(uname -s)" != Linux ] || { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -F libatomic.so.1 >/dev/null; }

has_libatomic && find_chromium && exit

how="the browser tests need Chromium, as 'chromium' or 'google-chrome' in PATH, and libatomic1: install both"
[ -z "${LABS_NO_INSTALL:-}" ] || die "$how (LABS_NO_INSTALL is set: nothing was installed)"
packages=$(chromium_packages) || die "$how"
can_be_root || die "$how"
log=$(mktemp)
# shellcheck disable=SC2086  # a list of words
{ apt_get update && apt_get install -y --no-install-recommends $packages; } >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  die "$how (apt could not: its last lines are above)"
}
rm -f "$log"
find_chromium || die "$how"
