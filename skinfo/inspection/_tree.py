"""A tree of columns, drawn from its centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skinfo._core._typing import FloatArray, IntArray
from skinfo.dependence.inference._tree import ChowLiuTree
from skinfo.inspection._dependence import display_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure, SubFigure

_EDGE, _NODE = "tab:blue", "0.3"
_LONGEST_NAME = 25  # characters
# Inches: height of a row, width of a character, gap for the number on an edge.
_ROW, _CHARACTER, _GAP = 0.42, 0.075, 0.8
_THINNEST, _THICKEST = 0.8, 4.0  # line widths in points: visible, and below a name
_NO_TREE = (
    "edges do not form a tree. Pass n_features - 1 pairs of features, from 0 to "
    "n_features - 1, that join all of them."
)


class ChowLiuTreeDisplay:
    """The tree of a :class:`~skinfo.ChowLiuTree`, with the mutual information of edges.

    The tree is drawn from its centre, on the left; each leaf has a row of its own. The
    more mutual information, the thicker the edge. Only the edges have a meaning: the
    tree has no direction, and the centre is not special.

    It is recommended to use :meth:`from_estimator` to create one.

    Parameters
    ----------
    edges : array-like of shape (n_features - 1, 2)
        The features at both ends of each edge.
    mutual_information : array-like of shape (n_features - 1,)
        Mutual information of each edge, in nats.
    feature_names : sequence of str, default=None
        Name of each feature. None means "x0", "x1" and so on.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        The figure of the last plot.
    lines_ : matplotlib LineCollection
        The edges.

    See Also
    --------
    skinfo.ChowLiuTree : Finds the tree.
    PairwiseDependenceDisplay : The dependence of all pairs.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skinfo import ChowLiuTree
    >>> from skinfo.inspection import ChowLiuTreeDisplay
    >>> X = load_wine(as_frame=True).data
    >>> display = ChowLiuTreeDisplay.from_estimator(ChowLiuTree().fit(X))
    >>> len(display.edges)
    12
    """

    ax_: Axes
    figure_: Figure | SubFigure
    lines_: LineCollection

    def __init__(
        self,
        edges: ArrayLike,
        mutual_information: ArrayLike,
        *,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.edges = edges
        self.mutual_information = mutual_information
        self.feature_names = feature_names

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """Draw the tree of a fitted estimator.

        Parameters
        ----------
        estimator : ChowLiuTree
            A fitted :class:`~skinfo.ChowLiuTree`.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        ChowLiuTreeDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no ChowLiuTree.
        """
        if not isinstance(estimator, ChowLiuTree):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}. Pass a fitted "
                "ChowLiuTree; where a search holds it, search.best_estimator_."
            )
        check_is_fitted(estimator)
        edges = estimator.edges_
        names = getattr(estimator, "feature_names_in_", None)
        display = cls(
            edges,
            estimator.mutual_information_[edges[:, 0], edges[:, 1]],
            feature_names=None if names is None else list(names),
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the tree.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.

        Returns
        -------
        self : ChowLiuTreeDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the edges are no tree, or there is not one name for each feature.
        """
        from matplotlib import pyplot as plt
        from matplotlib.collections import LineCollection

        edges, values = self._checked_edges()
        names = display_names(self.feature_names, len(edges) + 1, _LONGEST_NAME)
        columns, rows = layered_layout(edges)
        centers, width = _column_centers(columns, names)
        places, n_rows = np.column_stack([centers[columns], rows]), rows.max() + 1
        if ax is None:
            size = (max(2.0, width), max(1.0, _ROW * n_rows + 0.3))
            _, ax = plt.subplots(figsize=size, layout="constrained")
        share = np.clip(values / values.max(initial=1e-12), 0, 1)
        self.lines_ = LineCollection(
            places[edges].tolist(),
            linewidths=(_THINNEST + (_THICKEST - _THINNEST) * share).tolist(),
            colors=_EDGE,
        )
        ax.add_collection(self.lines_)
        for (x, y), value in zip(places[edges].mean(axis=1), values, strict=True):
            number = f"{round(value, 2) + 0.0:.2f}"  # without "-0.00"
            _write(ax, x, y, number, color=_EDGE, frame=False)
        for (x, y), name in zip(places, names, strict=True):
            _write(ax, x, y, name, color="black", frame=True)
        ax.set_xlim(0, width)
        ax.set_ylim(n_rows - 0.5, -0.5)
        ax.set_axis_off()
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _checked_edges(self) -> tuple[IntArray, FloatArray]:
        """Return the edges and their values, or raise where they do not fit."""
        edges = np.asarray(self.edges)
        if edges.size == 0:
            edges = np.empty((0, 2), dtype=np.int64)  # of a single feature
        if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
            raise ValueError(_NO_TREE)
        values = np.asarray(self.mutual_information, dtype=float)
        if values.shape != (len(edges),):
            raise ValueError(
                f"mutual_information has the shape {values.shape}, but there are "
                f"{len(edges)} edges. Pass one number for each edge."
            )
        return edges.astype(np.int64), values


def _write(ax: Axes, x: float, y: float, text: str, *, color: str, frame: bool) -> None:
    """Write a text round a place, on white."""
    ax.text(
        x,
        y,
        text,
        color=color,
        fontsize=9 if frame else 8,
        ha="center",
        va="center",
        parse_math=False,  # a name may hold dollars
        bbox={
            "boxstyle": "round,pad=0.25" if frame else "square,pad=0.1",
            "facecolor": "white",
            "edgecolor": _NODE if frame else "none",
        },
    )


def _column_centers(
    columns: IntArray, names: Sequence[str]
) -> tuple[FloatArray, float]:
    """Return the centre of each column and the width of all, in inches.

    Each column is as wide as its longest name; between two is room for a number.
    """
    longest = np.zeros(columns.max() + 1)
    np.maximum.at(longest, columns, [len(name) for name in names])
    widths = _CHARACTER * longest + _GAP
    return np.cumsum(widths) - widths / 2, float(widths.sum())


def layered_layout(edges: IntArray) -> tuple[IntArray, FloatArray]:
    """Return a column and a row for each node of a tree, both (n_edges + 1,).

    The column is the number of edges from the centre. Every leaf has its own row; any
    other node is in the middle of its children.
    """
    neighbors: list[list[int]] = [[] for _ in range(len(edges) + 1)]
    for first, second in edges.tolist():
        if not 0 <= min(first, second) <= max(first, second) < len(neighbors):
            raise ValueError(_NO_TREE)
        neighbors[first].append(second)
        neighbors[second].append(first)
    nodes, parents, columns = _walk(neighbors, _centre(neighbors))
    if len(nodes) < len(neighbors):
        raise ValueError(_NO_TREE)
    rows = np.full(len(neighbors), np.nan)
    leaves = [node for node in nodes if len(neighbors[node]) - (node in parents) == 0]
    rows[leaves] = np.arange(len(leaves))
    for node in reversed(nodes):  # children before their parents
        children = [child for child in neighbors[node] if parents.get(child) == node]
        if children:
            rows[node] = (rows[children].min() + rows[children].max()) / 2
    return columns, rows


def _centre(neighbors: Sequence[Sequence[int]]) -> int:
    """Return the first node with the smallest distance to its farthest node."""
    degrees = np.array([len(others) for others in neighbors])
    remaining = np.ones(len(neighbors), dtype=bool)
    while remaining.sum() > 2:
        leaves = np.flatnonzero(remaining & (degrees <= 1))
        if len(leaves) == 0:
            raise ValueError(_NO_TREE)
        remaining[leaves] = False
        for leaf in leaves.tolist():
            degrees[list(neighbors[leaf])] -= 1
    return int(np.argmax(remaining))


def _walk(
    neighbors: Sequence[Sequence[int]], root: int
) -> tuple[list[int], dict[int, int], IntArray]:
    """Return the nodes as a walk visits them, their parents and their depths."""
    nodes: list[int] = []
    parents: dict[int, int] = {}
    depths = np.zeros(len(neighbors), dtype=np.int64)
    waiting = [root]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        for other in reversed(neighbors[node]):
            if other != root and other not in parents:
                parents[other] = node
                depths[other] = depths[node] + 1
                waiting.append(other)
    return nodes, parents, depths
