docker rm --force $(docker ps --all --quiet --filter "label=project=$PROJECT")
docker image prune --all --force --filter "label=project=$PROJECT"
docker volume prune --all --force --filter "label=project=$PROJECT"
