set -e
image="$REGISTRY/iris"
docker build --tag "$image:$VERSION" .
docker push "$image:$VERSION"
echo "$image:$VERSION"
