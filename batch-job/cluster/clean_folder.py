"""Clean every CSV file of a folder or of an S3 prefix, on the workers of a Dask cluster. What they run is `clean_file`."""

import json
import logging
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import pyarrow as pa
from cleaner.reading import FileError
from cleaner.report import table
from cleaner.settings import SettingError
from dask.distributed import CancelledError, Client, KilledWorker, Worker, as_completed
from tqdm import tqdm

from cluster.files import (
    UNFINISHED,
    File,
    list_all,
    list_csv,
    open_place,
    remove,
    whole_file,
    write_sample,
)
from cluster.part import CODE, RECORDS, ClusterError, Job, clean_file
from cluster.settings import Settings, read_settings

MANIFEST = "manifest.json"
TIMEOUT = 60  # seconds for the scheduler, and then a worker, to come; a container that ended is back sooner
DIED = "every worker that took it died: is its memory (mem_limit) too small?"


def clean_folder(settings: Settings) -> tuple[dict[File, dict], dict[File, str]]:
    """Clean the files that have no part yet; when all have one, write the manifest.

    Returns the record of each part, and why a file has none. Raises FileError, ClusterError and OSError; what is there is
    whole then, and the next run goes on from it.
    """
    if not settings.source_was_set:
        write_sample(settings.source)
    files = list_csv(settings.source)
    job = Job(settings.source, settings.out, settings.format, *settings.income_range, CODE)
    earlier = read_records(settings.out)
    made = {(Job(**record["job"]), File(**record["file"])): record for record in earlier}
    records = {file: made[job, file] for file in files if (job, file) in made}
    failed: dict[File, str] = {}
    suspects: set[File] = set()
    if len(records) < len(files):
        # Whoever reads the parts takes it for a sign that all are of one run.
        remove(open_place(settings.out), [MANIFEST])
    with tqdm(desc="cleaning", total=len(files), unit="file", ncols=80, disable=None) as bar:
        while left := [file for file in files if file not in records and file not in failed]:
            batch = [file for file in left if file not in suspects] or left[:1]
            for file, outcome in clean_on_workers(settings.scheduler, job, batch):
                if isinstance(outcome, dict):
                    records[file] = outcome
                elif isinstance(outcome, KilledWorker) and len(batch) > 1:
                    # Suspected is all that waited on a worker that died. Which it was shows when each is alone.
                    suspects.add(file)
                elif isinstance(outcome, KilledWorker):
                    failed[file] = f"{settings.source}/{file.name}: {DIED}"
                else:
                    failed[file] = str(outcome)
                bar.update(len(records) + len(failed) - bar.n)
    if not failed:
        write_manifest(settings.out, records, earlier)
    return records, failed


def clean_on_workers(
    scheduler: str, job: Job, files: list[File]
) -> Iterator[tuple[File, dict | Exception]]:
    """Yield the record of each file, or why it has none, as workers are done; no more when the scheduler is gone."""
    with connect(scheduler) as client:
        futures = client.map(clean_file, [job] * len(files), files)
        file_of = dict(zip(futures, files, strict=True))
        for future in as_completed(futures):
            outcome: dict | Exception
            try:
                outcome = future.result()
            except CancelledError:
                print("the scheduler is gone: waiting for the next one", file=sys.stderr)
                return
            except (KilledWorker, FileError, OSError, pa.ArrowException) as error:
                outcome = error
            yield file_of[future], outcome


def connect(scheduler: str) -> Client:
    """Return a client of a scheduler that has a worker. Raises ClusterError where one of them does not come."""
    try:
        client = Client(scheduler, timeout=TIMEOUT)
    except OSError:
        raise ClusterError(f"no scheduler answers at {scheduler}: start it") from None
    try:
        client.wait_for_workers(1, timeout=TIMEOUT)
    except TimeoutError:
        client.close()
        raise ClusterError(f"{scheduler} has no worker after {TIMEOUT} s: start some") from None
    # What a driver has sent that was stopped: it would overwrite what this one makes.
    while any(client.run(running, on_error="ignore").values()):
        time.sleep(0.2)
    return client


def running(dask_worker: Worker) -> int:
    return len(dask_worker.state.executing)


def read_records(out: str) -> list[dict]:
    """Return the records of the parts that are there."""
    names, records = list_all(out), []
    for name in names:
        if name.startswith(f"{RECORDS}/"):
            with open_place(out).open_input_file(name) as file:
                records.append(json.loads(file.read()))
    return [record for record in records if names.keys() >= set(record["parts"].values())]


def write_manifest(out: str, records: dict[File, dict], earlier: list[dict]) -> None:
    """Remove what earlier runs made and this one did not, then write the list of all parts."""
    files = [record for _, record in sorted(records.items())]
    kept = {name for record in files for name in record["parts"].values()}
    made = {name for record in earlier for name in record["parts"].values()}
    if gone := made - kept:
        remove(open_place(out), [MANIFEST, *gone])
    with whole_file(open_place(out), MANIFEST) as file:
        file.write(json.dumps({"rows": total(files)["rows"], "files": files}, indent=1).encode())
    open_place(out).delete_dir(UNFINISHED)


def total(records: list[dict]) -> dict[str, Counter]:
    """Return the counts of all parts, for the table of cleaner.report. Raises ClusterError where rows are missing."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for record in records:
        for kind in ("rows", "reasons", "noted"):
            counts[kind].update(record[kind])
    rows = counts["rows"]
    if rows["rows in"] != rows["clean"] + rows["rejected"]:
        raise ClusterError(f"rows are missing: {dict(rows)}")
    return counts


def main() -> int:
    logging.disable()  # where Dask writes pages about a lost connection, the driver says a line
    try:
        settings = read_settings(os.environ)
        records, failed = clean_folder(settings)
    except (SettingError, FileError, ClusterError, OSError, pa.ArrowException) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for why in failed.values():
        print(f"error: {why}", file=sys.stderr)
    if failed:
        clean = f"{len(records)} of {len(records) + len(failed)} files are clean"
        print(
            f"error: {clean}, no {MANIFEST} is written: mend the others, start again",
            file=sys.stderr,
        )
        return 2
    print(table(total(list(records.values()))))
    print(f"wrote {settings.out}: {len(records)} parts and {MANIFEST}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
