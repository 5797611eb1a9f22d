docker run --detach --name "$NAME" --network host --env PORT "$IMAGE"
