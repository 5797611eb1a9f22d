"""Start MLflow, unless the store of its artifacts refuses it: that is one line here, and not a training that fails at its end."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def problem_of(destination: str, endpoint: str | None) -> str | None:
    """Return what an S3 store has against `destination`, s3://BUCKET/PATH: no such bucket, a key it does not know.

    Raises BotoCoreError when it does not answer, or there is no key to show.
    """
    bucket = urlsplit(destination).netloc
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        boto3.client("s3", endpoint_url=endpoint, config=config).list_objects_v2(
            Bucket=bucket, MaxKeys=1
        )
    except ClientError as error:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
        code = error.response["Error"]["Code"]
        if code == "NoSuchBucket":
            return f"there is no bucket {bucket!r}: make it, or name another in ARTIFACTS_DESTINATION"
        return f"it refuses the key in s3_credentials ({code}): give one that may use bucket {bucket!r}"
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
        except BotoCoreError as error:  # it may come later; runs and the registry do without it
            print(says + str(error), file=sys.stderr)
    os.execvp("mlflow", ["mlflow", "server"])


if __name__ == "__main__":
    main()
