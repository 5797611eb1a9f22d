# Locks what every requirements*.in asks for: docker build -f lock.Dockerfile --output . .
FROM python:3.13-slim AS lock
RUN pip install --no-cache-dir --root-user-action=ignore uv==0.13.8

WORKDIR /lock
COPY train/requirements* train/
COPY serve/requirements* serve/
COPY production/recorder/requirements* production/recorder/

# For every platform, with a hash for every file. The versions in a requirements*.txt stay, where it is there.
ENV UV_CUSTOM_COMPILE_COMMAND="docker build -f lock.Dockerfile --output . ."
RUN for file in $(find . -name "requirements*.in"); do \
      cd "/lock/$(dirname "$file")" \
      && name=$(basename "$file" .in) \
      && uv pip compile --quiet --universal --generate-hashes --python-version 3.13 --no-emit-index-url \
        --no-emit-find-links "$name.in" -o "$name.txt" || exit; \
    done

# What --output writes to your folder.
FROM scratch
COPY --from=lock /lock/ /
