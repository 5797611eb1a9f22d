docker run --detach --name "$NAME" python:3.13-slim python -m http.server 8000
