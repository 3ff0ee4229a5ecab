import re
from pathlib import Path

import skinfo

ROOT = Path(__file__).parents[1]


def test_version_and_date_are_those_of_the_changelog_and_of_the_citation():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    version, date = re.search(r"^## (\d\S*) - (\S+)$", changelog, re.MULTILINE).groups()
    assert f"\nversion: {version}\ndate-released: {date}\n" in citation
    assert skinfo.__version__ == version or skinfo.__version__.endswith(".dev0")
