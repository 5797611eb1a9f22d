docker run --rm --volume "$VOLUME:/app/results" "$IMAGE"
docker run --rm --volume "$VOLUME:/app/results" "$IMAGE" chown -R "$OWNER" /app/results
