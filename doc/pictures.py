"""Draw the pictures of the landing page: python doc/pictures.py.

Runs the code of index.rst. Where the page shows a picture, the last figure that was
drawn is saved under its name, so that each picture is what the code before it draws.
"""

from __future__ import annotations

import re
from doctest import DocTestParser, Example
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

FOLDER = Path(__file__).parent
PICTURE = re.compile(r"^\.\. image:: (\S+)$", flags=re.MULTILINE)


def save(path: Path) -> None:
    """Save the last figure, and close all."""
    plt.savefig(path, dpi=90, bbox_inches="tight")
    plt.close("all")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Run the page from top to bottom."""
    names: dict[str, object] = {}
    page = (FOLDER / "index.rst").read_text(encoding="utf-8")
    for part in DocTestParser().parse(page):
        if isinstance(part, Example):
            exec(compile(part.source, "index.rst", "single"), names)  # noqa: S102
            continue
        for match in PICTURE.finditer(part):
            save(FOLDER / match[1])


if __name__ == "__main__":
    main()
