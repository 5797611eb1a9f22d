set -e
image="$REGISTRY/iris"
docker build --tag "$image:$VERSION" .
docker push "$image:$VERSION"
# An image may have been pushed to other registries as well, and has a digest for each.
docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image:$VERSION" | grep "^$image@"
