# Root gives the folder in the volume away, and does nothing else.
docker run --rm --user 0 --volume "$VOLUME:/app/results" "$IMAGE" chown "$OWNER" /app/results
docker run --rm --user "$OWNER" --volume "$VOLUME:/app/results" "$IMAGE"
