"""Log 200 lines where 2000 bytes make a file full; print the files' names, and whether all are small enough."""

import logging.config
import pathlib
import sys

import logs
from settings import read_settings

logs.FILE_BYTES = 2000
folder = pathlib.Path("/tmp/logs")
folder.mkdir()
settings = read_settings({"LOG_FILE": str(folder / "a.log")})
logging.config.dictConfig(logs.configuration(settings))
for number in range(200):
    logging.getLogger("app").info("line %d", number)
files = sorted(folder.iterdir())
small = max(path.stat().st_size for path in files) <= 2000
print([path.name for path in files], small, file=sys.stderr)
