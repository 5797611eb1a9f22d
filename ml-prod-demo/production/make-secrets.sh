#!/bin/sh
# Makes the database password once, as .secrets/database_password; a password that is there stays.
# The folder keeps others on this machine out. The file itself has to be readable by the uids in the containers
# it is handed to (the database's is not yours).
set -eu
cd "$(dirname "$0")"

mkdir -p .secrets
chmod 700 .secrets
if [ ! -s .secrets/database_password ]; then
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >.secrets/new
  chmod 644 .secrets/new
  mv .secrets/new .secrets/database_password
fi
