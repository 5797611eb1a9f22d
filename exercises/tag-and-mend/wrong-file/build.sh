docker build --tag "$IMAGE:1.0.0" .
