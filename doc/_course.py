"""The order of the gallery: by the numbers in the titles."""

from __future__ import annotations

import re
from pathlib import Path

_TITLE = re.compile(r"^(\d+)\. .*\n=+$", flags=re.MULTILINE)


class CourseOrder:
    """Sorts the scripts of a folder; sphinx-gallery calls it with each name."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def __call__(self, name: str) -> int:
        """Return the number of the script, or raise where its title has none."""
        match = _TITLE.search((self.folder / name).read_text(encoding="utf-8"))
        if match is None:
            raise ValueError(f"The title of {name} has no number. Give it one.")
        return int(match[1])
