"""Files that are written whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name, and give it its own in one step.

    An earlier file keeps its permissions, and a link to it stays a link.
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
