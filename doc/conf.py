"""Configuration of the documentation: python -m sphinx -W doc doc/_build/html."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

import skinfo

sys.path.insert(0, str(Path(__file__).parent))  # for the order of the gallery

project = "skinfo"
author = "the skinfo developers"
copyright = f"2026, {author}"  # noqa: A001
release = version = skinfo.__version__

extensions = [
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
default_role = "literal"

autodoc_typehints = "none"  # the docstrings say them
numpydoc_show_class_members = False  # the template of classes lists them
copybutton_exclude = ".linenos, .gp, .go"

sphinx_gallery_conf = {
    "abort_on_example_error": True,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skinfo",),
    "download_all_examples": False,
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "min_reported_time": 10,
    "show_signature": False,
    "within_subsection_order": "_course.CourseOrder",
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "skinfo"
html_static_path = ["_static"]
html_css_files = ["skinfo.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skinfo"},
    "navigation_with_keys": False,
    "show_toc_level": 2,
}
html_sidebars = {
    page: []
    for page in (
        "index",
        "install",
        "choose",
        "auto_examples/*",
        "pitfalls",
        "papers",
        "benchmarks",
        "scaling_out",
        "glossary",
        "contributing",
        "cite",
        "changelog",
    )
}


def markdown_to_rst(text: str) -> str:
    """Convert the little Markdown that the changelog uses."""

    def heading(match: re.Match[str]) -> str:
        level, title = len(match[1]), match[2]
        return f"{title}\n{'=-~'[level - 1] * len(title)}"

    text = re.sub(r"^(#+) (.*)$", heading, text, flags=re.MULTILINE)
    text = re.sub(r"`([^`]+)`", r"``\1``", text)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r"`\1 <\2>`__", text)


def include_markdown(_app: Sphinx, path: Path, _page: str, content: list[str]) -> None:
    """Let reStructuredText pages include Markdown files."""
    if path.suffix == ".md":
        content[0] = markdown_to_rst(content[0])


def skip_inherited(
    _app: Sphinx, _what: str, _name: str, member: object, _skip: bool, options: object
) -> bool | None:
    """Leave the methods that come from scikit-learn to the table of all methods.

    Their docstrings refer to pages that are not here. The table (autosummary) asks
    with empty options, and gets them all.
    """
    module = getattr(member, "__module__", None) or ""
    return True if options and module.startswith("sklearn.") else None


def shorten_title(_app: Sphinx, page: str, content: list[str]) -> None:
    """Title the page of a function by its name alone, as those of classes are."""
    if page.startswith("generated/skinfo."):
        content[0] = re.sub(r"\A(\ufeff?)skinfo\.(datasets\.)?", r"\1", content[0])


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("source-read", shorten_title)
    app.connect("include-read", include_markdown)
    app.connect("autodoc-skip-member", skip_inherited)
