# Locks what the requirements*.in ask for: docker build -f lock.Dockerfile --output . .
FROM python:3.13-slim AS lock
RUN pip install --no-cache-dir --root-user-action=ignore uv==0.13.8

WORKDIR /lock
COPY requirements*.in requirements*.tx[t] ./
COPY production/store/requirements.in production/store/requirements.tx[t] production/store/

# For every platform, with a hash for every file. The versions in a requirements*.txt stay, where it is there.
ENV UV_CUSTOM_COMPILE_COMMAND="docker build -f lock.Dockerfile --output . ."
RUN for name in requirements requirements-train requirements-mlflow production/store/requirements; do \
      uv pip compile --quiet --universal --generate-hashes --python-version 3.13 --no-emit-index-url --no-emit-find-links \
        $name.in -o $name.txt || exit; \
    done

# What --output writes to your folder.
FROM scratch
COPY --from=lock /lock/*.txt /
COPY --from=lock /lock/production/store/requirements.txt /production/store/
