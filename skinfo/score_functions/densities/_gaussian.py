"""Score functions of a Gaussian density and of a mixture of Gaussian densities."""

from __future__ import annotations

import numpy as np
from scipy.linalg import pinvh
from sklearn import config_context
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import check_is_fitted

from skinfo._core._scales import centers_and_scales
from skinfo._core._typing import FloatArray
from skinfo.score_functions.densities._estimator import (
    SMALLEST_DEVIATION,
    ScoreFunctionEstimator,
)
from skinfo.score_functions.densities._locally_quadratic import LocallyQuadraticScore
from skinfo.score_functions.tensors._average import QuadraticPart
from skinfo.score_functions.tensors._pointwise import contracted_scores, score_tensors


class GaussianScore(LocallyQuadraticScore):
    r"""Score functions of the Gaussian density with the moments of the samples.

    Read more in the :doc:`user guide </user_guide/score_functions>`.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        The mean.
    covariance_ : ndarray of shape (n_features, n_features)
        The covariance.
    precision_ : ndarray of shape (n_features, n_features)
        The inverse of the covariance, computed from the correlation matrix; from the
        pseudo-inverse of that if it is singular: if the standard deviation along a
        principal axis of the standardised features is at most 1e-6. Zero for constant
        features.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    GaussianMixtureScore : Score functions of a mixture of Gaussian densities.
    LocalLikelihoodScore : Score functions of any smooth density.

    Notes
    -----
    For the standard normal density :math:`S_m(u, \dots, u)` is the Hermite polynomial
    :math:`He_m(\langle u, x \rangle)` for every unit vector `u`.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import GaussianScore
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> GaussianScore().fit(X).score_function(X, order=2).shape
    (1000, 2, 2)
    """

    def __init__(self) -> None:
        pass

    def _fit(self, X: FloatArray) -> None:
        self.mean_ = X.mean(axis=0)
        self.covariance_ = np.atleast_2d(np.cov(X, rowvar=False, bias=True))
        # from the correlations, so that no feature is cut off for its small units
        _, scales = centers_and_scales(X)
        units = np.outer(scales, scales)
        inverse = pinvh(self.covariance_ / units, atol=SMALLEST_DEVIATION**2)
        self.precision_: FloatArray = inverse / units
        self._samples = X.copy()

    def quadratic_parts(self) -> list[QuadraticPart]:
        """Return the scores at the samples of `fit`, for :class:`ScoreFunctionLoss`.

        Returns
        -------
        list of QuadraticPart
            One part: the log density is quadratic everywhere.
        """
        check_is_fitted(self)
        slopes = -self._gradient(None)
        return [QuadraticPart(np.ones(len(slopes)), slopes, -self.precision_)]

    def _gradient(self, X: FloatArray | None) -> FloatArray:
        samples = self._samples if X is None else X
        gradient: FloatArray = (self.mean_ - samples) @ self.precision_
        return gradient

    def _log_density_derivatives(
        self, X: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        gradient = self._gradient(X)
        return gradient, np.tile(-self.precision_, (len(gradient), 1, 1))

    def _contract(
        self, X: FloatArray | None, vectors: FloatArray, order: int
    ) -> FloatArray:
        curvature = -np.einsum("vi,ij,vj->v", vectors, self.precision_, vectors)
        return contracted_scores(self._gradient(X) @ vectors.T, curvature, order)

    def _objective(self, X: FloatArray | None) -> FloatArray:
        objective: FloatArray = (self._gradient(X) ** 2).sum(axis=1) / 2
        objective -= np.trace(self.precision_)
        return objective


class GaussianMixtureScore(ScoreFunctionEstimator):
    r"""Score functions of a mixture of Gaussian densities.

    The mixture is fitted by :class:`~sklearn.mixture.GaussianMixture`. Its score
    functions are exact for all four orders.

    Read more in the :doc:`user guide </user_guide/score_functions>`.

    Parameters
    ----------
    n_components : int, default=2
        Number of components of the mixture.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        Form of the covariances, as in :class:`~sklearn.mixture.GaussianMixture`.
    reg_covar : float, default=1e-6
        Constant that is added to the diagonal of the covariances, in squared units of
        X. Scale features of very different units first.
    n_init : int, default=1
        Number of initialisations; the best is kept.
    max_iter : int, default=100
        Maximum number of iterations of the EM algorithm.
    random_state : int, RandomState instance or None, default=None
        Seeds the initialisations.

    Attributes
    ----------
    mixture_ : GaussianMixture
        The fitted mixture.
    n_iter_ : int
        Number of iterations that the fit took.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    LocalLikelihoodScore : Score functions of any smooth density.

    Notes
    -----
    As :math:`\nabla^m p` is the sum over the components, :math:`S_m(x)` is the mean of
    the score functions of the components, weighted by the probability of each component
    given x.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import GaussianMixtureScore
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 1)) + 3 * rng.choice([-1, 1], size=(1000, 1))
    >>> estimator = GaussianMixtureScore(random_state=0).fit(X)
    >>> estimator.transform([[-5.0], [5.0]]).round().ravel()
    array([-2.,  2.])
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        covariance_type: str = "full",
        reg_covar: float = 1e-6,
        n_init: int = 1,
        max_iter: int = 100,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def _fit(self, X: FloatArray) -> None:
        mixture = GaussianMixture(
            self.n_components,
            covariance_type=self.covariance_type,
            reg_covar=self.reg_covar,
            n_init=self.n_init,
            max_iter=self.max_iter,
            random_state=self.random_state,
        )
        with config_context(array_api_dispatch=False):  # k-means does not support it
            self.mixture_ = mixture.fit(X)
        self.n_iter_ = self.mixture_.n_iter_
        self._samples = X.copy()

    def quadratic_parts(self) -> list[QuadraticPart]:
        """Return the scores at the samples of `fit`, for :class:`ScoreFunctionLoss`.

        Returns
        -------
        list of QuadraticPart
            One part for each component, weighted by its probability given the sample.
        """
        check_is_fitted(self)
        return self._parts(None)

    def _parts(self, X: FloatArray | None) -> list[QuadraticPart]:
        """Return S_1, Hessian and responsibilities of each component."""
        samples = self._samples if X is None else X
        shares = self.mixture_.predict_proba(samples)
        parts = []
        for k, mean in enumerate(self.mixture_.means_):
            precision = self._precision(k)
            slopes = (samples - mean) @ precision
            parts.append(QuadraticPart(shares[:, k], slopes, -precision))
        return parts

    def _precision(self, k: int) -> FloatArray:
        """Return the inverse covariance (d, d) of a component, for every type."""
        precisions = self.mixture_.precisions_
        tied = self.mixture_.covariance_type == "tied"
        precision = precisions if tied else precisions[k]
        if np.ndim(precision) == 2:
            return np.asarray(precision, dtype=np.float64)
        n_features = self.mixture_.means_.shape[1]
        return np.diag(np.broadcast_to(precision, (n_features,))).astype(np.float64)

    def _score_function(self, X: FloatArray | None, order: int) -> FloatArray:
        total = np.zeros(1)
        for part in self._parts(X):
            shares = part.weights.reshape((-1,) + (1,) * order)
            tensors = score_tensors(-part.slopes, part.curvature[np.newaxis], order)
            total = total + shares * tensors
        return total

    def _contract(
        self, X: FloatArray | None, vectors: FloatArray, order: int
    ) -> FloatArray:
        total = np.zeros((1, 1))
        for part in self._parts(X):
            curvature = np.einsum("vi,ij,vj->v", vectors, part.curvature, vectors)
            scores = contracted_scores(-part.slopes @ vectors.T, curvature, order)
            total = total + part.weights[:, np.newaxis] * scores
        return total
