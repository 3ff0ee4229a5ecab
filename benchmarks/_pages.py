"""Write the pages of the documentation with the tables of a run.

python -m benchmarks --output results
python -m benchmarks._pages results/results.json doc

writes doc/benchmarks.rst, and into doc/benchmarks a page for each script. Of several
files, the later ones replace the scripts of the earlier ones.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

NOTE = ".. Written by python -m benchmarks._pages; do not edit.\n"
HEAD = f"""\
{NOTE}
Benchmarks
==========

Every script of `benchmarks` measures one promise of skinfo beside its peers, and prints
tables: one row a case, with the target and whether it is met. A page for each script
has the tables of its last run. To run them again, in a clone of the repository:

.. code-block:: console

   python -m pip install ".[benchmarks]"
   python -m benchmarks --output results
   python -m benchmarks._pages results/results.json doc

To run some of them, name how they begin: `python -m benchmarks potential mutual_info`.
`benchmarks/README.md` describes the peers. A target is a constant of its script,
or what a peer reaches in the same row; those that are missed stay in the tables. Wide
tables scroll sideways.
"""
QUICK = """\
.. warning::

   A quick trial (`--quick`): few seeds and small samples, to show that the scripts run.
   Its numbers are rough, and targets are meant for the whole run.
"""
SEPARATE = "\n..\n\n"  # two lists that follow each other


def write_pages(paths: Sequence[Path], folder: Path) -> None:
    """Write the page of all scripts, and one for each, instead of those of before."""
    runs = [json.loads(path.read_text("utf-8")) for path in paths]
    scripts = {
        script["name"]: script | {"commit": run["commit"]}
        for run in runs
        for script in run["scripts"]
    }
    ordered = [scripts[name] for name in sorted(scripts)]
    pages = folder / "benchmarks"
    pages.mkdir(exist_ok=True)
    for page in pages.glob("*.rst"):
        page.unlink()
    for script in ordered:
        path = pages / f"{script['name']}.rst"
        path.write_text(page_of_script(script), "utf-8")
    parts = [HEAD]
    if any(run["quick"] for run in runs):
        parts.append(QUICK)
    groups = SEPARATE.join(map(listed, grouped(runs)))
    parts += [heading("How it was measured", "-"), groups]
    parts += [heading("All scripts", "-"), overview(ordered)]
    toctree = [f"   benchmarks/{script['name']}\n" for script in ordered]
    parts.append("".join([".. toctree::\n   :hidden:\n\n", *toctree]))
    (folder / "benchmarks.rst").write_text("\n".join(parts), "utf-8")


def heading(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}\n"


def grouped(runs: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the runs with the same machine and the same packages together."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault(json.dumps(circumstances(run)), []).append(run)
    return list(groups.values())


def circumstances(run: dict[str, Any]) -> dict[str, str]:
    """Return what a run shares with others."""
    machine = run["machine"]
    packages = [
        f"{name} {number}" for name, number in run["packages"].items() if number
    ]
    missing = [name for name, number in run["packages"].items() if number is None]
    return {
        "Machine": f"{machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB of memory, {machine['system']}",
        "Python": run["python"],
        "Packages": ", ".join(packages),
        "Not installed": ", ".join(missing),
    }


def listed(runs: Sequence[dict[str, Any]]) -> str:
    """Return how runs on one machine were made, as a list of fields."""
    loads = sorted({run["machine"]["load_before"] for run in runs})
    versions = [
        f"{run['skinfo']}, commit {run['commit'] or 'unknown'}"
        + (", with changes" if run["modified"] else "")
        for run in runs
    ]
    n_scripts = len({each["name"] for run in runs for each in run["scripts"]})
    entries = {
        "Date": ", ".join(sorted({run["date"] for run in runs})),
        "skinfo": "; ".join(dict.fromkeys(versions)),
        **circumstances(runs[0]),
        "Load before": " to ".join(
            f"{load}" for load in (loads[0], loads[-1])[: len(loads)]
        )
        + " processes",
        "Scripts": f"{n_scripts}",
    }
    kept = [(name, value) for name, value in entries.items() if value]
    return "\n".join(f":{name}: {escaped(value)}" for name, value in kept) + "\n"


def overview(scripts: Iterable[dict[str, Any]]) -> str:
    """Return a table of the scripts, with links to their pages."""
    rows = []
    for script in scripts:
        n_met, n_judged = targets(script["tables"])
        rows.append(
            [
                f":doc:`{script['name']} <benchmarks/{script['name']}>`",
                escaped(script["description"].splitlines()[0]),
                f"{n_met} of {n_judged}" if n_judged else r"\-",
                f"{script['seconds']:.0f}",
            ]
        )
    return table("", ["Script", "What it measures", "Targets met", "Seconds"], rows)


def targets(tables: Iterable[dict[str, Any]]) -> tuple[int, int]:
    """Return how many targets are met, and how many there are."""
    verdicts = [
        cell
        for each in tables
        for row in each["rows"]
        for name, cell in zip(each["header"], row, strict=True)
        if name.startswith("met") and cell in {"yes", "no"}
    ]
    return verdicts.count("yes"), len(verdicts)


def page_of_script(script: dict[str, Any]) -> str:
    name = f"{script['name']}.py"
    run = f"{script['date']}, commit {script['commit'] or 'unknown'}"
    parts = [
        NOTE,
        heading(f"`{name}`", "="),
        re.sub(r"([*|])", r"\\\1", script["description"]) + "\n",
        f"`python benchmarks/{name}`: {script['seconds']:.0f} s, {run}.\n",
    ]
    if script["failed"]:
        parts.append("**It ended with an error.**\n")
    parts += [
        f"Skipped: {escaped(each['skipped'])}, because {escaped(each['reason'])}.\n"
        for each in script["skipped"]
    ]
    parts += [
        table(
            escaped(each["title"]),
            [escaped(cell) for cell in each["header"]],
            [[escaped(cell) for cell in row] for row in each["rows"]],
        )
        for each in script["tables"]
    ]
    return "\n".join(parts)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    content = "".join(f"   {line}\n" for line in text.getvalue().splitlines())
    options = "   :header-rows: 1\n   :widths: auto\n"
    return f"{title}\n\n.. csv-table::\n{options}\n{content}".lstrip()


def escaped(text: str) -> str:
    """Return a text that reStructuredText takes literally, with its bounds in one."""
    text = re.sub(r"([<>]=?) ", "\\1\N{NO-BREAK SPACE}", text)
    text = re.sub(r"([\\`*|_:])", r"\\\1", text)
    return re.sub(r"^(?=[^\w\\]|\w+[.)] )", r"\\", text)


def main() -> None:
    *results, folder = map(Path, sys.argv[1:])
    if not results:
        sys.exit(__doc__)
    write_pages(results, folder)


if __name__ == "__main__":
    main()
