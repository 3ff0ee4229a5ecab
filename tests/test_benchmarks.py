"""The benchmarks as one command, and the page that is made of its results."""

import csv
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(path.name for path in (ROOT / "benchmarks").glob("[!_]*.py"))


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_every_script_is_explained():
    text = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    assert sorted(set(re.findall(r"benchmarks/(\w+\.py)", text))) == SCRIPTS


@pytest.mark.slow
def test_results_are_written_and_become_pages(tmp_path):
    name = "mutual_info_bounds"
    printed = run("benchmarks", "--quick", name, "--output", str(tmp_path))
    [script] = json.loads((tmp_path / "results.json").read_text("utf-8"))["scripts"]
    assert script["name"] == name
    assert not script["failed"]
    for number, table in enumerate(script["tables"], start=1):
        with (tmp_path / f"{name}_{number}.csv").open(encoding="utf-8") as file:
            assert list(csv.reader(file)) == [table["header"], *table["rows"]]
        assert table["rows"][0][0] in printed
    (tmp_path / "benchmarks").mkdir()
    stale = tmp_path / "benchmarks" / "no_such_script.rst"
    stale.touch()
    run("benchmarks._pages", str(tmp_path / "results.json"), str(tmp_path))
    assert not stale.exists()
    page = (tmp_path / "benchmarks" / f"{name}.rst").read_text("utf-8")
    assert script["tables"][0]["title"] in page
    assert f"benchmarks/{name}\n" in (tmp_path / "benchmarks.rst").read_text("utf-8")


def test_scripts_are_listed_and_unknown_ones_refused(monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT)
    command = importlib.import_module("benchmarks.__main__")
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--list", "mutual_info_b"])
    assert command.main() == 0
    assert "mutual_info_bounds: " in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["benchmarks", "no_such_script"])
    with pytest.raises(SystemExit):
        command.main()
    assert "no script begins with no_such_script" in capsys.readouterr().err
