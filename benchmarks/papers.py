"""The experiments of the four papers: published figures, paper mode, default, peers.

Those that need no data of others. With --figures, also the pictures of the page.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import argparse
from pathlib import Path

import _papers_compression
import _papers_mutual_info
import _papers_potential
import _papers_score_functions

PAPERS = {
    "mutual_info": _papers_mutual_info,
    "potential": _papers_potential,
    "score_functions": _papers_score_functions,
    "compression": _papers_compression,
}


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "papers",
        nargs="*",
        metavar="paper",
        help=f"{', '.join(PAPERS)} (default: all)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a fast trial: few seeds, small samples"
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="samples per case (default: by paper)"
    )
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="where to write the pictures"
    )
    arguments = parser.parse_args()
    if arguments.seeds is not None and arguments.seeds < 2:
        parser.error(f"--seeds {arguments.seeds} must be at least 2")
    unknown = set(arguments.papers) - set(PAPERS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Take {', '.join(PAPERS)}")
    return arguments


def main() -> None:
    arguments = read_arguments()
    if arguments.figures is not None:
        arguments.figures.mkdir(parents=True, exist_ok=True)
    for name in arguments.papers or PAPERS:
        paper = PAPERS[name]
        n_seeds = paper.QUICK_SEEDS if arguments.quick else paper.N_SEEDS
        found = paper.print_tables(arguments.seeds or n_seeds, quick=arguments.quick)
        if arguments.figures is not None:
            paper.draw(found, arguments.figures)


if __name__ == "__main__":
    main()
