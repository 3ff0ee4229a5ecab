"""RDCompressor as a function."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.frozen import FrozenEstimator

from skinfo.compression._rd_compressor import RDCompressor


def compress(
    model: Any, X: ArrayLike, y: ArrayLike | None = None, **params: Any
) -> Any:
    """Compress a fitted model.

    Parameters
    ----------
    model : estimator
        A fitted linear model or multi-layer perceptron of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples on which changes of the predictions are measured.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        The targets, required for some values of `importance`.
    **params
        Parameters of :class:`RDCompressor`.

    Returns
    -------
    estimator
        A copy of the model with the compressed weights.

    See Also
    --------
    RDCompressor : The estimator, with size, distortion and the file.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skinfo import compress
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = Ridge().fit(X, y)
    >>> small = compress(model, X, rate=8)
    >>> bool(model.score(X, y) - small.score(X, y) < 0.001)
    True
    """
    compressor = RDCompressor(FrozenEstimator(model), **params)
    return compressor.fit(X, y).compressed_estimator_
