#!/bin/sh
# Starts the store: all of SeaweedFS in one process. Its key comes as a file, and it wants a variable.
set -eu
AWS_SECRET_ACCESS_KEY=$(cat /run/secrets/s3_key)
export AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID=labs
# Go frees memory before it holds more than this. The container has 512 MB, and large files that come at once would fill it.
export GOMEMLIMIT=350MiB

# Only what speaks S3, under an address that stays when the container's changes. A bucket that nobody made is an error, as in
# the cloud.
exec weed -logtostderr mini -dir=/data -ip=127.0.0.1 -ip.bind=0.0.0.0 -bucket=labs -s3.autoCreateBucket=false \
  -webdav=false -admin.ui=false -s3.port.iceberg=0 -s3.port.lance=0 -master.telemetry=false
