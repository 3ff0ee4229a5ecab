"""LocalLikelihoodScore: derivatives of a log density by local likelihood."""

from __future__ import annotations

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skinfo._core._checks import (
    check_nonnegative,
    check_option,
    check_positive,
    check_real,
)
from skinfo._core._scales import centers_and_scales
from skinfo._core._typing import FloatArray
from skinfo._core._warnings import warn
from skinfo.score_functions.densities._estimator import LARGEST
from skinfo.score_functions.densities._grid import GridWeights, grid_pays
from skinfo.score_functions.densities._locally_quadratic import LocallyQuadraticScore
from skinfo.score_functions.densities._moments import LocalMoments, LocalWeights
from skinfo.score_functions.tensors._pointwise import ORDERS


class LocalLikelihoodScore(LocallyQuadraticScore):
    r"""Score functions of a smooth density, by local likelihood.

    Near every point, the log density is approximated by a quadratic function. Its
    coefficients maximise the likelihood of the samples with Gaussian weights around the
    point, and have a closed form.

    Read more in the :doc:`user guide </user_guide/score_functions>`.

    Parameters
    ----------
    bandwidth : float or "rule", default="rule"
        The standard deviation `h` of the weights, in the units of X and the same for
        all features. "rule": the features are divided by their standard deviations, and
        `h` is `bandwidth_factor * n_samples ** (-1 / (n_features + 6))`, or with the
        exponent `-1 / (n_features + 10)` for a `derivative_order` of 3 or 4. Constant
        features are ignored.
    bandwidth_factor : float, default=2.5
        The factor of the rule. Choose it by
        :class:`~sklearn.model_selection.GridSearchCV`.
    derivative_order : {1, 2, 3, 4}, default=1
        The order of the score function for which the rule chooses the bandwidth.
    regularization : float, default=1e-6
        Multiple of `h ** 2` that is added to the diagonal of the local covariance. With
        0, the shrinkage where few samples are near is also switched off.
    n_jobs : int, default=None
        Number of jobs to process the points in parallel. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors.

    Attributes
    ----------
    bandwidth_ : float
        The bandwidth `h`, in units of X / `scale_`.
    scale_ : ndarray of shape (n_features,)
        The standard deviations of the features for the rule, otherwise ones. Infinity
        for constant features, which are ignored.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    GaussianScore : Score functions of a Gaussian density.
    GaussianMixtureScore : Score functions of a mixture of Gaussian densities.

    Notes
    -----
    With weights :math:`w_j \propto \exp(-|x_j - x|^2 / 2h^2)` of sum 1, the local mean
    :math:`\mu = \sum_j w_j (x_j - x)` and the local covariance :math:`\Sigma` are the
    moments of the samples around x, and

    .. math::

        \nabla \log p(x) = \Sigma^{-1} \mu, \qquad
        \nabla^2 \log p(x) = h^{-2} I - \Sigma^{-1}.

    As `h` grows, without regularization, this becomes the Gaussian density with the
    moments of the samples. The score functions of order 1 and 2 are consistent. Those
    of order 3 and 4 neglect the third and fourth derivatives of the log density, which
    are only small if the density is nearly Gaussian.

    Where the effective number of samples :math:`(\sum w)^2 / \sum w^2` near a point is
    below `n_features + 2`, :math:`\Sigma` is shrunk towards :math:`h^2 I`, its value
    for a flat density, and a warning is issued. For one or two features and at least
    20000 samples, the moments are computed by convolution on a grid, with an error of
    the order of 1e-3 of `h`, or more if many samples have the same values.

    References
    ----------
    .. [1] W. Gao, A. V. Makkuva, S. Oh, P. Viswanath, "Learning One-hidden-layer Neural
       Networks under General Input Distributions", AISTATS 2019.
    .. [2] C. R. Loader, "Local Likelihood Density Estimation", Annals of Statistics
       24(4), 1996.

    Examples
    --------
    The score function of a standard normal density is x:

    >>> import numpy as np
    >>> from skinfo import LocalLikelihoodScore
    >>> X = np.random.default_rng(0).normal(size=(2000, 1))
    >>> estimator = LocalLikelihoodScore(bandwidth_factor=5).fit(X)
    >>> estimator.transform([[-1.0], [0.0], [1.0]]).round(1).ravel()
    array([-1.,  0.,  1.])
    """

    def __init__(
        self,
        bandwidth: float | str = "rule",
        *,
        bandwidth_factor: float = 2.5,
        derivative_order: int = 1,
        regularization: float = 1e-6,
        n_jobs: int | None = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.bandwidth_factor = bandwidth_factor
        self.derivative_order = derivative_order
        self.regularization = regularization
        self.n_jobs = n_jobs

    def _fit(self, X: FloatArray) -> None:
        n_samples = len(X)
        check_option("derivative_order", self.derivative_order, ORDERS)
        self._regularization = check_nonnegative(
            "regularization", self.regularization, example=1e-6
        )
        _, scales = centers_and_scales(X)
        self._center = np.median(X, axis=0)  # so that moments lose no digits
        if isinstance(self.bandwidth, str):
            check_option("bandwidth", self.bandwidth, ("rule",))
            factor = check_positive("bandwidth_factor", self.bandwidth_factor)
            n_varying = int(np.isfinite(scales).sum())
            exponent = n_varying + (6 if self.derivative_order <= 2 else 10)
            self.bandwidth_ = factor * n_samples ** (-1 / exponent)
            self.scale_ = scales
        else:
            remedy = "Pass a positive number, or 'rule'."
            self.bandwidth_ = check_real("bandwidth", self.bandwidth, remedy)
            check_positive("bandwidth", self.bandwidth)
            self.scale_ = np.where(np.isfinite(scales), 1.0, np.inf)
        if not 1 / LARGEST <= self.bandwidth_ <= LARGEST:
            raise ValueError(
                f"A bandwidth of {self.bandwidth_:g} has a square that is not "
                f"representable. Pass one from {1 / LARGEST:g} to {LARGEST:g}."
            )
        self._samples = (X - self._center) / self.scale_

    def _log_density_derivatives(
        self, X: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        moments = self._weights(X).moments()
        precisions, _ = self._precisions(moments)
        # grad log p = Sigma^-1 mu, hess log p = I / h^2 - Sigma^-1
        gradient = np.einsum("nij,nj->ni", precisions, moments.offsets)
        hessian = np.eye(len(self.scale_)) / self.bandwidth_**2 - precisions
        return gradient / self.scale_, hessian / np.outer(self.scale_, self.scale_)

    def _objective(self, X: FloatArray | None) -> FloatArray:
        local = self._weights(X)
        moments = local.moments()
        precisions, trust = self._precisions(moments)
        gradient = np.einsum("nij,nj->ni", precisions, moments.offsets)
        h2, weights = self.bandwidth_**2, self.scale_**-2.0
        # differentiate S a = mu by x_l, with S = trust Sigma + (1 - trust) h^2 I:
        # d mu = Sigma / h^2 - I, and d Sigma is the third moment along x_l over h^2
        moved = moments.covariances / h2 - np.eye(len(weights))
        slopes = np.einsum("i,nij,nji->n", weights, precisions, moved)
        forms = precisions * weights
        forms = (forms + forms.transpose(0, 2, 1)) / 2
        slopes -= trust / h2 * local.skews(forms, gradient)
        within = (trust > 0) & (trust < 1)
        growth = (moments.effective_sizes * within / (self._n_varying + 1))[:, None]
        turned = np.einsum("nij,njk,nk->ni", precisions, moved, gradient, optimize=True)
        slopes -= h2 * np.sum(weights * growth * moments.size_slopes * turned, axis=1)
        objective: FloatArray = (gradient**2 * weights).sum(axis=1) / 2 + slopes
        return objective

    @property
    def _n_varying(self) -> int:
        """Number of features that are not constant."""
        return int(np.isfinite(self.scale_).sum())

    def _weights(self, X: FloatArray | None) -> LocalWeights:
        """Return the weights around the points, on a grid if that is faster."""
        queries, left_out = self._samples, None
        if X is None:
            left_out = np.arange(len(queries))
        else:
            queries = (X - self._center) / self.scale_
        pays = grid_pays(self._samples, queries, self.bandwidth_)
        weights = GridWeights if pays else LocalWeights
        return weights(self._samples, queries, self.bandwidth_, left_out, self.n_jobs)

    def _precisions(self, moments: LocalMoments) -> tuple[FloatArray, FloatArray]:
        """Return Sigma^-1 (n, d, d), and the weight of Sigma against h^2 I (n,)."""
        d = self._n_varying
        trust = np.ones(len(moments.offsets))
        if self._regularization > 0:
            trust = np.clip((moments.effective_sizes - 1) / (d + 1), 0, 1)
        self._warn_of_few(int(np.sum(moments.effective_sizes < d + 2)), len(trust))
        ridge = self.bandwidth_**2 * (1 - trust + self._regularization)
        covariances = trust[:, np.newaxis, np.newaxis] * moments.covariances
        covariances += ridge[:, np.newaxis, np.newaxis] * np.eye(len(self.scale_))
        constant = np.isinf(self.scale_)  # these features are ignored
        covariances[:, constant, :] = 0
        covariances[:, :, constant] = 0
        covariances[:, constant, constant] = self.bandwidth_**2
        try:
            precisions: FloatArray = np.linalg.inv(covariances).astype(np.float64)
        except np.linalg.LinAlgError:
            raise ValueError(
                "The samples near some points have a singular covariance. Pass "
                "regularization=1e-6 or a larger bandwidth."
            ) from None
        return precisions, trust

    def _warn_of_few(self, n_few: int, n_points: int) -> None:
        """Warn if some points have few samples near them."""
        if n_few > 0:
            warn(
                f"{n_few} of {n_points} points have an effective number of samples "
                f"below n_features + 2 = {self._n_varying + 2} near them. Pass a "
                "larger bandwidth or bandwidth_factor.",
                ConvergenceWarning,
            )
