set -e
image="$REGISTRY/iris"
docker build --tag "$image:$VERSION" .
# The last line is: 1.0.0: digest: sha256:... size: ...
digest=$(docker push "$image:$VERSION" | sed -n 's/.*digest: \(sha256:[0-9a-f]*\).*/\1/p')
echo "$image@$digest"
