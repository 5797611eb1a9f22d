"""Small wheels, made from the folders in packages/: an exercise installs them and needs no index of packages."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path


def make_wheel(package: Path, to: Path) -> None:
    """Write the wheel of a folder `name-version` of Python files. The same files give the same bytes.

    Format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    name, version = package.name.rsplit("-", 1)
    info = f"{name}-{version}.dist-info"
    files = {path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*.py")}  # fmt: skip
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()  # fmt: skip
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{path},sha256={digest(data)},{len(data)}\n" for path, data in sorted(files.items())]
    files[f"{info}/RECORD"] = f"{''.join(record)}{info}/RECORD,,\n".encode()
    to.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(to / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, data in sorted(files.items()):
            # All of one date and one system, so that the hash depends on the content alone.
            entry = zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, on Windows too
            wheel.writestr(entry, data)


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
