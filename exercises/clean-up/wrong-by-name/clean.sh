docker rm $(docker ps --all --quiet --filter status=exited --filter "name=$PROJECT")
docker image prune --all --force --filter "label=project=$PROJECT"
docker volume prune --all --force --filter "label=project=$PROJECT"
