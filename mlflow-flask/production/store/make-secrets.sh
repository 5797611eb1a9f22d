#!/bin/sh
# Makes the key of the S3 store once: s3_key for the store, and s3_credentials for who asks it, in the form that AWS's tools read.
# The folder keeps others on this machine out. The files themselves have to be readable by the uids in the containers.
set -eu
cd "$(dirname "$0")"
[ ! -s .secrets/s3_credentials ] || exit 0

mkdir -p .secrets
chmod 700 .secrets
cd .secrets
od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >s3_key
printf '[default]\naws_access_key_id = labs\naws_secret_access_key = %s\n' "$(cat s3_key)" >new
chmod 644 s3_key new
mv new s3_credentials
