# IMAGE: what to run. VOLUME: the volume for the results. OWNER: whose they are, as USER:GROUP in numbers.
docker run --rm "$IMAGE"
