"""Files in a folder or under a prefix of an S3 bucket: pyarrow's filesystems know both."""

import io
import posixpath
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from cleaner.reading import BLOCK, FileError
from pyarrow import NativeFile
from pyarrow.fs import FileSelector, FileSystem, SubTreeFileSystem

SAMPLE = Path(__file__).parents[1] / "sample.csv"
ENDINGS = (".csv", ".csv.gz")
# Whoever reads a folder of data, Arrow and Spark for instance, passes over what begins with an underscore.
UNFINISHED = "_unfinished"


class File(NamedTuple):
    """A CSV file: its path below the place, and what tells that it has changed."""

    name: str
    size: int
    mtime_ns: int

    @property
    def part(self) -> str:
        """Name its part, whichever worker makes that, and whatever other files there are."""
        return self.name.removesuffix(".gz").removesuffix(".csv")


class StoredFile(NamedTuple):
    """As much of a Path as cleaner.reading wants: it opens, and it has a name."""

    uri: str
    name: str

    def open(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(open_place(self.uri).open_input_file(self.name), BLOCK)

    def __str__(self) -> str:
        return f"{self.uri}/{self.name}"


def open_place(uri: str) -> FileSystem:
    """Return what is below a folder or `s3://bucket/prefix`. The keys to S3 are where AWS's own tools look for them."""
    filesystem, path = FileSystem.from_uri(uri if "://" in uri else str(Path(uri).absolute()))
    return SubTreeFileSystem(path, filesystem)


def list_all(uri: str) -> dict[str, File]:
    """Return all files below a place; none where it does not exist. Raises OSError where a bucket does not."""
    try:
        found = open_place(uri).get_file_info(FileSelector("", recursive=True))
    except FileNotFoundError:
        return {}
    return {i.path: File(i.path, i.size, i.mtime_ns) for i in found if i.is_file}


def list_csv(uri: str) -> list[File]:
    """Return the CSV files by name. Raises FileError where there is none, or where two would be one part."""
    files = sorted(file for name, file in list_all(uri).items() if name.endswith(ENDINGS))
    if not files:
        raise FileError(f"{uri} has no file that ends in {' or '.join(ENDINGS)}")
    parts = Counter(file.part for file in files)
    if same := [file.name for file in files if parts[file.part] > 1]:
        raise FileError(f"{uri}: {' and '.join(same)} would be one part: give one another name")
    return files


@contextmanager
def whole_file(place: FileSystem, name: str) -> Iterator[NativeFile]:
    """Open a file that is at its place when it is whole; on an error nothing is left of it.

    Until then it has a name of its own: another worker may be writing the same part.
    """
    beside = f"{UNFINISHED}/{uuid.uuid4().hex}"
    for folder in (UNFINISHED, posixpath.dirname(name) or UNFINISHED):
        place.create_dir(folder)
    try:
        with place.open_output_stream(beside) as file:
            yield file
        place.move(beside, name)
    except BaseException:
        remove(place, [beside])
        raise


def remove(place: FileSystem, names: Iterable[str]) -> None:
    """Remove files; one that is gone already, by another worker perhaps, is no error."""
    for name in names:
        with suppress(FileNotFoundError):
            place.delete_file(name)


def write_sample(uri: str) -> None:
    """Write the lab's sample as ten files of ten rows, where no file is yet."""
    if not list_all(uri):
        header, *rows = SAMPLE.read_bytes().splitlines(keepends=True)
        for number in range(10):
            with whole_file(open_place(uri), f"sample-{number}.csv") as file:
                file.write(header + b"".join(rows[10 * number : 10 * number + 10]))
