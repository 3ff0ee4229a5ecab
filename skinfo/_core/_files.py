"""Atomic writing of files."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, data: bytes) -> None:
    """Write a temporary file, and rename it to `path` in one step.

    An existing file keeps its permissions, and a symbolic link to it stays one.
    """
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        file = temporary.open("xb")
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, error.strerror, str(path)) from None
    try:
        with file:
            file.write(data)
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
