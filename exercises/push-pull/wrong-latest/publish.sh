set -e
image="$REGISTRY/iris"
docker build --tag "$image:latest" .
docker push "$image:latest"
# An image may have been pushed to other registries as well, and has a digest for each.
docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image:latest" | grep "^$image@"
