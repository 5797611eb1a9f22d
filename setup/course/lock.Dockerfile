# Locks what requirements.in asks for: docker build -f lock.Dockerfile --output . .
FROM python:3.13-slim AS lock
RUN pip install --no-cache-dir --root-user-action=ignore uv==0.13.8

WORKDIR /lock
COPY requirements.in requirements.tx[t] ./

# For every platform, with a hash for every file. The versions in requirements.txt stay, where it is there.
ENV UV_CUSTOM_COMPILE_COMMAND="docker build -f lock.Dockerfile --output . ."
RUN uv pip compile --quiet --universal --generate-hashes --python-version 3.13 --no-emit-index-url --no-emit-find-links \
    requirements.in -o requirements.txt

# What --output writes to your folder.
FROM scratch
COPY --from=lock /lock/requirements.txt /
