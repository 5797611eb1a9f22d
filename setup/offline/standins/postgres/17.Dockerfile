# Stand-in for postgres:17: uid 999, PGDATA, POSTGRES_* and POSTGRES_*_FILE, /docker-entrypoint-initdb.d, en_US.utf8.
# What differs from docker-library/postgres, 17/trixie/Dockerfile:
#
#                           official                                here
#   packages                PGDG's                                  Debian's
#   JIT                     on (LLVM)                               left out: a hundred megabytes
#   any uid                 by libnss-wrapper                       999 and root alone: others need a line in passwd
#   POSTGRES_INITDB_WALDIR  yes                                     no
#   init files              *.sh *.sql *.sql.gz *.sql.xz *.sql.zst  *.sh *.sql *.sql.gz
FROM standin/debian:trixie-slim

RUN groupadd --system --gid 999 postgres \
    && useradd --system --gid 999 --uid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres \
    && mkdir -p /etc/postgresql-common \
    && echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && apt-get install -y --no-install-recommends postgresql-17 locales \
    && localedef --inputfile en_US --charmap UTF-8 en_US.UTF-8 \
    && rm -rf /usr/lib/postgresql/17/lib/bitcode /usr/lib/postgresql/17/lib/llvmjit* \
        /usr/lib/*/libLLVM* /usr/lib/*/libz3* \
    && sed -ri "s/^#?(listen_addresses)\s*=\s*\S+.*/\1 = '*'/" /usr/share/postgresql/17/postgresql.conf.sample \
    && rm -rf /var/lib/postgresql/* /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data \
    && install -d -o postgres -g postgres -m 3777 /run/postgresql \
    && install -d /docker-entrypoint-initdb.d

COPY --chmod=755 <<'EOS' /usr/local/bin/docker-entrypoint.sh
#!/usr/bin/env bash
# Runs the server; on an empty PGDATA makes the cluster, the role and the database first.
set -eo pipefail

# Sets $1 from the environment, else from the file that ${1}_FILE names, else to $2.
file_env() {
  local name=$1 file="${1}_FILE"
  if [ -n "${!name}" ] && [ -n "${!file}" ]; then
    echo "error: both $name and $file are set (but are exclusive)" >&2
    exit 1
  fi
  if [ -n "${!file}" ]; then
    export "$name=$(<"${!file}")"
  else
    export "$name=${!name:-$2}"
  fi
  unset "$file"
}

sql() { psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" "$@"; }

initialise() {
  local auth=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256} file
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$auth" != trust ]; then
    echo "Error: Database is uninitialized and superuser password is not specified." >&2
    echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
    exit 1
  fi
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
  printf '\nhost all all all %s\n' "$auth" >>"$PGDATA/pg_hba.conf"

  # No TCP while it is being set up: who can connect, connects to a database that is ready.
  pg_ctl -w start -o "-c listen_addresses=''"
  if [ "$POSTGRES_DB" != postgres ]; then
    sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) sql --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
    esac
  done
  pg_ctl -m fast -w stop
}

[ "${1:0:1}" = - ] && set -- postgres "$@"
if [ "$1" = postgres ]; then
  mkdir -p "$PGDATA"
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" ! -user postgres -exec chown postgres {} +
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  chmod 700 "$PGDATA" || true
  file_env POSTGRES_PASSWORD
  file_env POSTGRES_USER postgres
  file_env POSTGRES_DB "$POSTGRES_USER"
  file_env POSTGRES_INITDB_ARGS
  [ -s "$PGDATA/PG_VERSION" ] || initialise
  unset POSTGRES_PASSWORD
fi
exec "$@"
EOS

ENV LANG=en_US.utf8 PG_MAJOR=17 PGDATA=/var/lib/postgresql/data \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin

VOLUME /var/lib/postgresql/data

ENTRYPOINT ["docker-entrypoint.sh"]

# Smart shutdown (SIGTERM) waits for clients to leave; this one does not.
STOPSIGNAL SIGINT

EXPOSE 5432

CMD ["postgres"]
