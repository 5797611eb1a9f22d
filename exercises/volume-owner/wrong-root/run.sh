docker run --rm --volume "$VOLUME:/app/results" "$IMAGE"
