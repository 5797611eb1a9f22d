set -e
mine="label=project=$PROJECT"
docker container prune --force --filter "$mine"
# --all: images that have a name as well, volumes that have a name as well.
docker image prune --force --filter "$mine"
docker volume prune --all --force --filter "$mine"
