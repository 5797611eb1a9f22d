# Locks what both requirements.in ask for. From the lab's folder: docker build -f cluster/lock.Dockerfile --output . .
FROM python:3.13-slim AS lock
RUN pip install --no-cache-dir --root-user-action=ignore uv==0.13.8

WORKDIR /lock
COPY . .

# For every platform, with a hash for every file. What the lab has too, it has in the lab's version.
ENV UV_CUSTOM_COMPILE_COMMAND="docker build -f cluster/lock.Dockerfile --output . ."
RUN for folder in cluster cluster/store; do \
      uv pip compile --quiet --universal --generate-hashes --python-version 3.13 --no-emit-index-url --no-emit-find-links \
        --constraint requirements.txt $folder/requirements.in -o $folder/requirements.txt || exit; \
    done

# What --output writes to your folder.
FROM scratch
COPY --from=lock /lock/cluster /cluster
