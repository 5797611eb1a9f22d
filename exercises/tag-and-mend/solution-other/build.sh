docker build -f train.dockerfile -t "$IMAGE" .
docker tag "$IMAGE" "$IMAGE:1.0.0"
