#!/usr/bin/env bash
# Prints the path of a Chromium or Chrome for the browser tests; on Debian and Ubuntu installs the
# distribution's when there is none.
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

chromium_package() {
  case "$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null)" in
    debian) say chromium ;;
    ubuntu) say chromium-browser ;;
    *) return 1 ;;
  esac
}

find_chromium && exit

how="the browser tests need Chromium: install it so that 'chromium' or 'google-chrome' is in PATH"
[ -z "${LABS_NO_INSTALL:-}" ] || die "$how (LABS_NO_INSTALL is set: nothing was installed)"
package=$(chromium_package) || die "$how"
can_be_root || die "$how"
log=$(mktemp)
{ apt_get update && apt_get install -y --no-install-recommends "$package"; } >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  die "$how (apt could not: its last lines are above)"
}
rm -f "$log"
find_chromium || die "$how"
