docker run --rm --user "$OWNER" --mount "type=volume,source=$VOLUME,target=/app/results" "$IMAGE"
