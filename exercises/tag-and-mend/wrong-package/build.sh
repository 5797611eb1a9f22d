docker build --file train.dockerfile --tag "$IMAGE:1.0.0" .
