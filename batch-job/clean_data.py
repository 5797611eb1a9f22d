"""Clean a CSV file of any size: raw.csv in; clean.csv, rejects.csv and report.html out. The rules are in rules.py."""

import logging
import os
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path

from cleaner.cleaning import clean_parts
from cleaner.reading import FileError, open_source, read_columns, read_parts
from cleaner.report import page, table
from cleaner.settings import SettingError, Settings, read_settings
from cleaner.writing import csv_line, replace_files
from tqdm import tqdm

log = logging.getLogger("batch-job")
SAMPLE = Path(__file__).with_name("sample.csv")


def clean_data(settings: Settings) -> dict[str, Counter]:
    """Read RAW_PATH, write the three outputs, return the counts.

    Raises FileError for what the user can mend; the outputs are then as they were.
    """
    if not settings.raw_was_set and not os.path.lexists(settings.raw):
        with replace_files(settings.raw) as (raw,):
            raw.write(SAMPLE.read_bytes())
        log.info("no %s yet: wrote the sample", settings.raw)

    columns = read_columns(settings.raw)
    counts: dict[str, Counter] = defaultdict(Counter)
    with (
        open_source(settings.raw) as source,
        replace_files(settings.clean, settings.rejects, settings.report) as outputs,
        # A terminal that a container gets may say that its size is 0 by 0.
        tqdm(desc="cleaning", unit="B", unit_scale=True, ncols=80, nrows=20, disable=None) as bar,
    ):
        bar.total = settings.raw.stat().st_size
        clean, rejects, report = outputs
        rejects.write(csv_line(["row", "reason", *columns]))
        for done in clean_parts(read_parts(settings.raw, source, columns), settings.income_range):
            if clean.tell() == 0:
                clean.write(csv_line(done.columns))
            clean.write(done.clean)
            rejects.write(done.rejects)
            for kind, found in done.counts.items():
                counts[kind].update(found)
            bar.update(os.lseek(source.fileno(), 0, os.SEEK_CUR) - bar.n)
        report.write(page(str(settings.raw), counts).encode())
    return counts


def stop(number: int, _frame: object) -> None:
    print("stopped: the outputs are as they were", file=sys.stderr)
    sys.exit(128 + number)


def main() -> int:
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        settings = read_settings(os.environ)
        logging.basicConfig(level=settings.log_level, format="%(levelname)s %(message)s")
        print(table(clean_data(settings)))
        print(f"wrote {settings.clean}, {settings.rejects}, {settings.report}")
    except (SettingError, FileError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
