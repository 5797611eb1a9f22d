FROM python:3.13-slim
RUN --mount=source=wheels,target=/wheels --mount=source=requirements.txt,target=/requirements.txt \
    pip install --no-cache-dir --root-user-action=ignore -r /requirements.txt
COPY . /srv
WORKDIR /srv
ENTRYPOINT ["python", "train.py"]
