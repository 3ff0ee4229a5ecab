"""RDCompressor: a fitted model of scikit-learn in few bits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
)
from sklearn.utils import (
    Tags,
    assert_all_finite,
    check_consistent_length,
    check_random_state,
    get_tags,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from skinfo._core._checks import (
    check_bool,
    check_nonnegative,
    check_option,
    check_positive,
)
from skinfo._core._files import write_whole
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo.compression._curve import RateDistortionCurve, rate_distortion_curve
from skinfo.compression._reports import LayerReport, make_report, report_layers
from skinfo.compression.distortion._importance import IMPORTANCES
from skinfo.compression.file._coded_model import decoded, weight_bytes
from skinfo.compression.file._file import to_bytes
from skinfo.compression.models._delegation import DelegatedPredictions
from skinfo.compression.models._fitting import check_is_estimator, fitted_model
from skinfo.compression.models._reading import read_stack
from skinfo.compression.models._stack import Stack
from skinfo.compression.models._writing import with_weights
from skinfo.compression.schemes._methods import (
    METHODS,
    chosen_target,
)
from skinfo.compression.schemes._target import CompressionProblem, Target, some_samples


class RDCompressor(
    DelegatedPredictions,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    r"""Compress a fitted linear model or multi-layer perceptron to few bits.

    The weights become small integers, chosen so that the predictions change as little
    as possible for the bits that the integers cost, and are written by an adaptive
    range coder. The result is an ordinary fitted model of scikit-learn, and a file that
    holds it.

    Read more in the :doc:`user guide </user_guide/compression>`.

    Parameters
    ----------
    estimator : estimator
        A linear model of scikit-learn with `coef_`, an
        :class:`~sklearn.neural_network.MLPClassifier` or an
        :class:`~sklearn.neural_network.MLPRegressor`. Inside a
        :class:`~sklearn.frozen.FrozenEstimator` it is compressed as it is, and the data
        of `fit` only calibrate; otherwise a clone of it is fitted first.
    method : str, default="rate_distortion"
        "rate_distortion": rounding with error feedback, see the Notes. "kmeans": one
        codebook per layer by weighted k-means, as in [1]_. "prune": all but the most
        important weights become 0, as in [1]_. "prune_refit": the same, with the
        remaining weights refitted to the original outputs.
    importance : str, default="kl"
        The importance of a weight in "kmeans" and "prune". "uniform": 1. "kl": the
        diagonal of the Gauss-Newton matrix of the distortion. "gradient", "hessian" and
        "gradient+hessian": derivatives of the loss, for which y is needed.
    rate : float, default=None
        Maximum number of bits per weight, not counting one step per layer. A total of
        two bytes is always allowed. If none of `rate`, `n_bytes` and `distortion` is
        given, it is 3.
    n_bytes : int, default=None
        The largest size of the whole file.
    distortion : float, default=None
        The largest distortion, relative to that of a model whose weights are all 0.
    sparsity : float, default=None
        The share of the weights that pruning sets to 0. None: 0.9.
    damping : float, default=0.01
        The ridge that is added to the curvature of the distortion, relative to one
        ninth of the squared largest deviation of each input, which is about its
        variance for normal inputs, and more if it seldom varies. For linear models,
        much smaller values and values up to three times larger are tried as well.
    rdo : float, default=0.1
        The squared error, in squared steps, that saving one bit is worth in rounding.
        Half of it and 0 are tried too.
    random_state : int, RandomState instance or None, default=None
        Draws a subset of more than 20 000 samples, pairs of samples, and, for linear
        models with fewer than 4 samples per feature, permutations of columns.

    Attributes
    ----------
    compressed_estimator_ : estimator
        The model with the decoded weights, without the state of its training.
    estimator_ : estimator
        The original model.
    n_bytes_ : int
        Size of the whole file.
    rate_ : float
        Bits per weight of the coded integers and the steps or codebooks.
    compression_ratio_ : float
        Size of weights and biases with 4 bytes each, divided by `n_bytes_`.
    distortion_ : float
        The mean distortion on the data of `fit`, summed over outputs. For models that
        are trained on probabilities it is the KL divergence of the predicted
        probabilities in nats; otherwise the squared difference of the decision function
        or the prediction.
    relative_distortion_ : float
        The same, divided by that of a model whose weights are all 0.
    orthogonality_gap_ : float
        The mean product of the compressed model's outputs and their errors, divided by
        the mean square of the original outputs, all centred. It is 0 for the best
        quantisation. Outputs before a softmax are centred over the classes.
    gaussian_rate_ : float
        Bits per weight that this distortion would take if the weights of each layer
        were drawn from a normal distribution with their variance. It is a reference,
        not a bound: a single model may need fewer.
    layers_ : list of LayerReport
        A report of each layer: `shape`, `rate`, `step`, `n_levels`, `sparsity`.
    classes_ : ndarray of shape (n_classes,)
        The labels, if the model is a classifier.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    compress : Compress a model with a single call.
    load_compressed : Read a model from its file.

    Notes
    -----
    With the inputs A of a layer and :math:`H = A^\top A / n`, weights W cost
    :math:`\operatorname{tr} (W - \hat W)^\top H (W - \hat W)`. Rows are rounded one
    after the other to multiples of a step, and later rows compensate for the error of
    each (optimal brain quantisation). Of the two nearest multiples, the one with the
    smaller sum of error and bits is taken. Layers are compressed in turn, each with the
    outputs of the compressed layers before it as inputs; the biases are refitted, and a
    search finds the step that meets `rate`, `n_bytes` or `distortion`.

    References
    ----------
    .. [1] W. Gao, Y.-H. Liu, C. Wang, S. Oh, "Rate Distortion For Model Compression:
       From Theory To Practice", ICML 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import scale
    >>> from skinfo import RDCompressor
    >>> X, y = load_wine(return_X_y=True)
    >>> X = scale(X)
    >>> model = LogisticRegression().fit(X, y)
    >>> compressor = RDCompressor(FrozenEstimator(model), n_bytes=60).fit(X)
    >>> len(compressor.to_bytes()) <= 60
    True
    >>> bool(abs(compressor.score(X, y) - model.score(X, y)) < 0.01)
    True
    """

    def __init__(
        self,
        estimator: Any,
        *,
        method: str = "rate_distortion",
        importance: str = "kl",
        rate: float | None = None,
        n_bytes: int | None = None,
        distortion: float | None = None,
        sparsity: float | None = None,
        damping: float = 1e-2,
        rdo: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.importance = importance
        self.rate = rate
        self.n_bytes = n_bytes
        self.distortion = distortion
        self.sparsity = sparsity
        self.damping = damping
        self.rdo = rdo
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Fit the model, unless it is frozen, and compress it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples on which changes of the predictions are measured.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets. For a frozen model, they are required for some values of
            `importance` only.

        Returns
        -------
        self : object
            The fitted compressor.

        Raises
        ------
        ValueError
            If a parameter is out of its range, `n_bytes` or `distortion` cannot be
            reached, or y is missing.
        TypeError
            If the model cannot be compressed, or a parameter has the wrong type.
        """
        target, data = self._check_parameters(), X
        numbers = validate_data(self, X, accept_sparse="csr", dtype=np.float64)
        self.estimator_ = fitted_model(self.estimator, X, y)
        stack, X = read_stack(self.estimator_), numbers
        if X.shape[1] != stack.n_inputs:
            raise ValueError(
                f"X has {X.shape[1]} features, but the model was fitted with "
                f"{stack.n_inputs}. Pass samples with the same features."
            )
        # raises where names differ from those that the model was fitted with
        validate_data(self.estimator_, data, reset=False, skip_check_array=True)
        if y is not None:
            check_consistent_length(numbers, y)
            assert_all_finite(y, input_name="y")
        n_bits = 8 * np.dtype(stack.spec.dtype).itemsize
        if target.name == "rate" and target.amount > n_bits:
            raise ValueError(
                f"rate={self.rate!r} is above that of the model, whose weights have "
                f"{n_bits} bits. Pass a smaller rate."
            )
        generator = check_random_state(self.random_state)
        with one_blas_thread():
            some, y = some_samples(X, y, generator)
            problem = CompressionProblem(
                stack=stack,
                X=some,
                y=y,
                target=target,
                importance=self.importance,
                damping=float(self.damping),
                rdo=float(self.rdo),
                generator=generator,
            )
            with np.errstate(over="ignore"):  # the distortion of candidates that lose
                self._coded = METHODS[self.method].compress(problem)
            self._keep(stack, X, some)
        return self

    def _check_parameters(self) -> Target:
        check_is_estimator(self.estimator)
        check_option("method", self.method, tuple(METHODS))
        check_option("importance", self.importance, IMPORTANCES)
        check_positive("damping", self.damping)
        check_nonnegative("rdo", self.rdo, example=0.1)
        return chosen_target(
            self.method,
            rate=self.rate,
            n_bytes=self.n_bytes,
            distortion=self.distortion,
            sparsity=self.sparsity,
        )

    def _keep(self, stack: Stack, X: Any, some: Any) -> None:
        """Store the compressed model and its reports."""
        found = decoded(self._coded)
        self.compressed_estimator_ = with_weights(self.estimator_, found)
        self.n_bytes_ = len(to_bytes(self._coded))
        self.rate_ = 8 * weight_bytes(self._coded.layers) / stack.n_weights
        n_numbers = stack.n_weights + sum(len(each.biases) for each in stack.layers)
        self.compression_ratio_ = 4 * n_numbers / self.n_bytes_
        report = make_report(stack, found, X, some)
        self.distortion_ = report.distortion
        self.relative_distortion_ = report.relative_distortion
        self.orthogonality_gap_ = report.orthogonality_gap
        self.gaussian_rate_ = report.gaussian_rate
        self.layers_: list[LayerReport] = report_layers(self._coded)
        if stack.spec.classes is not None:
            self.classes_ = self.compressed_estimator_.classes_

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return the outputs that the distortion is measured on.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            Probabilities if the model is trained on them; otherwise the decision
            function of a classifier or the predictions of a regressor.
        """
        check_is_fitted(self)
        predict = getattr(
            self.compressed_estimator_, decoded(self._coded).prediction_method
        )
        outputs = np.asarray(predict(X))
        return outputs.reshape(len(outputs), -1)

    def rate_distortion_curve(
        self, X: ArrayLike, rates: ArrayLike, y: ArrayLike | None = None
    ) -> RateDistortionCurve:
        """Compress the model at several rates.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The calibration samples, on which the distortion is measured too.
        rates : array-like of shape (n_rates,)
            The rates, in bits per weight.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets, required for some values of `importance`.

        Returns
        -------
        RateDistortionCurve
            With the arrays `rates`, `n_bytes`, `distortions`, `relative_distortions`
            and `gaussian_rates`, an entry for each rate.
        """
        return rate_distortion_curve(self, X, rates, y)

    @property
    def _n_features_out(self) -> int:
        return decoded(self._coded).n_predictions

    def to_bytes(self) -> bytes:
        """Return the compressed model as bytes, the content of its file.

        Returns
        -------
        bytes
            The bytes that :func:`load_compressed` reads, without feature names.
        """
        check_is_fitted(self)
        return to_bytes(self._coded)

    def save(self, path: str | os.PathLike[str], feature_names: bool = False) -> None:
        """Write the compressed model to a file, which is replaced atomically.

        Parameters
        ----------
        path : str or path-like
            The path of the file.
        feature_names : bool, default=False
            Whether to include the feature names, which makes the file larger.
        """
        check_is_fitted(self)
        check_bool("feature_names", feature_names)
        names: Sequence[str] | None = None
        if feature_names:
            known = getattr(self.estimator_, "feature_names_in_", None)
            known = getattr(self, "feature_names_in_", known)
            if known is None:
                raise ValueError(
                    "feature_names=True, but fit saw no names. Fit with a dataframe, "
                    "or pass feature_names=False."
                )
            names = [str(name) for name in known]
        write_whole(Path(path), to_bytes(self._coded, names))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.target_tags = inner.target_tags
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags
