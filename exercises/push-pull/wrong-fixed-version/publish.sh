set -e
image="$REGISTRY/iris"
docker build --tag "$image:1.0.0" .
docker push "$image:1.0.0"
# An image may have been pushed to other registries as well, and has a digest for each.
docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image:1.0.0" | grep "^$image@"
