#!/bin/sh
# Makes the passwords once, as files beside this one and in store/; what is there stays.
# The folder keeps others on this machine out. The files themselves have to be readable by the uids in the containers.
set -eu
cd "$(dirname "$0")"
store/make-secrets.sh
[ ! -s .secrets/mlflow_login ] || exit 0

mkdir -p .secrets
chmod 700 .secrets
cd .secrets
make_password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

[ -s database_password ] || make_password >database_password
# What the proxy of a swarm asks for before it lets somebody to MLflow's page.
printf 'mlflow:{PLAIN}%s\n' "$(make_password)" >new
chmod 644 database_password new
mv new mlflow_login
