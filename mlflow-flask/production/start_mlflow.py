"""Start MLflow, unless the store of its artifacts refuses it: that is one line here, and not a training that fails at its end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError


def problem_of(destination: str, endpoint: str | None) -> str | None:
    """Return what an S3 store has against `destination`, s3://BUCKET/PATH: no such bucket, a key that it does not know.

    Raises BotoCoreError or ClientError when it does not answer, or not as it should.
    """
    _, bucket, path, *_ = urlsplit(destination)
    path = path.strip("/")
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        store = boto3.client("s3", endpoint_url=endpoint, config=config)
        # Below the path alone: a key may be good for that and no more.
        store.list_objects_v2(Bucket=bucket, Prefix=path and f"{path}/", MaxKeys=1)
    except NoCredentialsError:
        return "there is no key in s3_credentials"
    except ClientError as error:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            return (
                f"there is no bucket {bucket!r}: make it, or name another in ARTIFACTS_DESTINATION"
            )
        if status == 403:
            code = error.response["Error"]["Code"]
            return f"it refuses the key in s3_credentials ({code}); give one for bucket {bucket!r}"
        raise
    return None


def main() -> None:
    destination = os.environ["MLFLOW_ARTIFACTS_DESTINATION"]
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL")
    if destination.startswith("s3://"):
        says = f"mlflow: S3 store {endpoint or 'of AWS'}: "
        try:
            if problem := problem_of(destination, endpoint):
                print(says + problem, file=sys.stderr)
                raise SystemExit(2)
        except (BotoCoreError, ClientError) as error:  # it may come yet; the registry does without
            print(says + str(error), file=sys.stderr)
    # Postgres's library reads it from a variable, or from files that nobody else may read, which a swarm's secrets are not.
    if file := os.environ.get("PGPASSWORD_FILE"):
        os.environ["PGPASSWORD"] = Path(file).read_text().strip()
    os.execvp("mlflow", ["mlflow", "server"])


if __name__ == "__main__":
    main()
