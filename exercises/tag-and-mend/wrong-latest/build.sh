docker build --file train.dockerfile --tag "$IMAGE" .
