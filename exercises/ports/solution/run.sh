docker run --detach --name "$NAME" --publish "127.0.0.1:$PORT:8000" "$IMAGE"
