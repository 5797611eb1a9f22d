docker run --name "$NAME" --publish "127.0.0.1:$PORT:8000" python:3.13-slim --detach python -m http.server 8000
