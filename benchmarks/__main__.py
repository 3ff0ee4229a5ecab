"""Run the benchmarks one after the other: python -m benchmarks, from the checkout.

Each script has a process of its own, and measures the skinfo of this checkout. Nothing
is installed: peers that are not there are skipped. With --output, each table is written
as CSV, and all of them to results.json, with the machine and the versions.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import skinfo
from benchmarks._tables import RECORD

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def find_scripts(prefixes: Sequence[str]) -> list[Path]:
    """Return the scripts whose names begin with one of the prefixes, or all."""
    paths = sorted(HERE.glob("[!_]*.py"))
    if not prefixes:
        return paths
    unknown = [
        prefix
        for prefix in prefixes
        if not any(path.stem.startswith(prefix) for path in paths)
    ]
    if unknown:
        msg = f"no script begins with {', '.join(unknown)}. See --list."
        raise ValueError(msg)
    return [path for path in paths if path.stem.startswith(tuple(prefixes))]


def description(path: Path) -> str:
    """Return the docstring of a script, which is not imported."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def run_script(path: Path, flags: Sequence[str]) -> dict[str, Any]:
    """Run a script, which prints its tables, and return them with its time."""
    inherited = os.environ.get("PYTHONPATH")
    search_path = os.pathsep.join([str(ROOT), *([inherited] if inherited else [])])
    started = datetime.now(UTC)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "tables"
        record.touch()
        process = subprocess.run(  # noqa: S603
            [sys.executable, str(path), *flags],
            env={**os.environ, "PYTHONPATH": search_path, RECORD: str(record)},
            check=False,
        )
        lines = record.read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return {
        "name": path.stem,
        "description": description(path),
        "date": f"{started:%Y-%m-%d %H:%M} UTC",
        "seconds": round(time.perf_counter() - start, 1),
        "failed": process.returncode != 0,
        "tables": [entry for entry in entries if "rows" in entry],
        "skipped": [entry for entry in entries if "skipped" in entry],
    }


def cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"\nmodel name\s*: (.+)\n", information.read_text())
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def describe_machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def package_versions() -> dict[str, str | None]:
    """Return the versions of what skinfo and its benchmarks use; None if not there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    requirements = [
        *project["dependencies"],
        *extras["examples"],
        *extras["benchmarks"],
    ]
    names = [re.split(r"[^\w.-]", requirement)[0] for requirement in requirements]
    return {name: version_of(name) for name in sorted({*names} - {"skinfo"})}


def version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def git(*arguments: str) -> str:
    """Return what git prints; nothing, where there is no git or no repository."""
    program = shutil.which("git")
    if program is None:
        return ""
    process = subprocess.run(  # noqa: S603
        [program, "-C", str(ROOT), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return process.stdout.strip() if process.returncode == 0 else ""


def describe_run(*, quick: bool) -> dict[str, Any]:
    return {
        "quick": quick,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": git("rev-parse", "--short=10", "HEAD") or None,
        "modified": bool(git("status", "--porcelain", "--", "skinfo", "benchmarks")),
        "machine": describe_machine(),
        "python": platform.python_version(),
        "skinfo": skinfo.__version__,
        "packages": package_versions(),
    }


def print_missing(packages: dict[str, str | None]) -> None:
    missing = [name for name, installed in packages.items() if installed is None]
    if missing:
        print(
            f"Not installed: {', '.join(missing)}. What needs them is skipped. "
            'To measure it, too: python -m pip install ".[benchmarks]"'
        )


def write_tables(folder: Path, script: dict[str, Any]) -> None:
    """Write each table of a script as CSV."""
    for number, table in enumerate(script["tables"], start=1):
        path = folder / f"{script['name']}_{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([table["header"], *table["rows"]])


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "prefixes",
        nargs="*",
        metavar="NAME",
        help="run the scripts whose names begin so (default: all, for hours)",
    )
    parser.add_argument("--list", action="store_true", help="list the scripts")
    parser.add_argument(
        "--quick", action="store_true", help="a trial: few seeds, small samples"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="for the CSV files and the JSON"
    )
    arguments = parser.parse_args()
    try:
        arguments.scripts = find_scripts(arguments.prefixes)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def main() -> int:
    arguments = read_arguments()
    if arguments.list:
        for path in arguments.scripts:
            print(f"{path.stem}: {description(path).splitlines()[0]}")
        return 0
    run = describe_run(quick=arguments.quick)
    run["scripts"] = []
    print_missing(run["packages"])
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
    for path in arguments.scripts:
        print(f"\n== {path.name}", flush=True)
        script = run_script(path, ["--quick"] if arguments.quick else [])
        print(f"\n{script['seconds']} s", flush=True)
        run["scripts"].append(script)
        if arguments.output:  # after each, for those who stop before the end
            write_tables(arguments.output, script)
            text = json.dumps(run, indent=1, ensure_ascii=False)
            (arguments.output / "results.json").write_text(text + "\n", "utf-8")
    failed = [script["name"] for script in run["scripts"] if script["failed"]]
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
