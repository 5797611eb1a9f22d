# IMAGE: what to start. NAME: what the container is called. PORT: the port of this machine that it answers on.
docker run --detach --name "$NAME" --publish "$PORT:8000" "$IMAGE"
