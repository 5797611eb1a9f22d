set -e
mine="label=project=$PROJECT"
# A list may be empty, and `docker rm` without a name is an error: hence the `for`.
for container in $(docker ps --all --quiet --filter "$mine" --filter status=exited --filter status=created); do
  docker rm "$container"
done
# What is in use cannot be removed; that is no error here.
for image in $(docker image ls --quiet --filter "$mine" | sort -u); do
  docker image rm "$image" || true
done
for volume in $(docker volume ls --quiet --filter "$mine" --filter dangling=true); do
  docker volume rm "$volume"
done
