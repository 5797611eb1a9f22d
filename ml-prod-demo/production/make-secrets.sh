#!/bin/sh
# Makes the passwords of Postgres and Redis and a key for callers once, as files in .secrets/ beside this one; what is
# there stays.
# The folder keeps others on this machine out. The files themselves have to be readable by the uids in the containers
# they are handed to (the databases' are not yours).
set -eu
cd "$(dirname "$0")/.."
secrets=production/.secrets

make_password() {
  mkdir -p $secrets
  chmod 700 $secrets
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >$secrets/new
  chmod 644 $secrets/new
  mv $secrets/new "$secrets/$1"
}

if [ ! -s $secrets/database_password ]; then
  # A database keeps the password that it was made with: a second clone of the lab meets that of the first.
  project=$(docker compose config --no-interpolate | sed -n 's/^name: //p')
  volume=${project}_db_data
  if docker volume inspect "$volume" >/dev/null 2>&1; then
    cat >&2 <<END
error: the volume $volume holds recorded predictions, and was made with a password that is not here. Either copy
$secrets/database_password from the folder that made it, or remove the volume with all that is recorded in it:
docker volume rm $volume
END
    exit 2
  fi
  make_password database_password
fi

# These are kept nowhere else: the volume of Redis does with any password.
for name in redis_password api_key; do
  [ -s $secrets/$name ] || make_password $name
done
