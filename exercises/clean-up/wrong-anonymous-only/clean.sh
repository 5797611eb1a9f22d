set -e
mine="label=project=$PROJECT"
docker container prune --force --filter "$mine"
# --all: images that have a name as well, volumes that have a name as well.
docker image prune --all --force --filter "$mine"
docker volume prune --force --filter "$mine"
