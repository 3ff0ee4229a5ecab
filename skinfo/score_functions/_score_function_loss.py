"""ScoreFunctionLoss: a regressor that recovers the hidden layer of a network."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skinfo._core._activations import ACTIVATIONS
from skinfo._core._checks import check_bool, check_integer, check_option, check_positive
from skinfo._core._typing import FloatArray
from skinfo._core._warnings import warn
from skinfo.score_functions.densities._estimator import check_sizes
from skinfo.score_functions.densities._score_parts import check_score_estimator
from skinfo.score_functions.recovery._directions import SOLVERS, Solver
from skinfo.score_functions.recovery._head import hidden_features
from skinfo.score_functions.recovery._problem import checked_order, make_problem
from skinfo.score_functions.recovery._recovery import recover
from skinfo.score_functions.recovery._training import (
    check_regressor,
    fit_regressor,
    has_hidden_layers,
)

# Least ridge, relative to the mean square of the hidden features, on the output weights
# that a training starts from: large weights that cancel are a poor start.
_ALPHA_OF_START = 1e-2


class ScoreFunctionLoss(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    BaseEstimator,
):
    r"""Regression by a network whose hidden layer is recovered from moments.

    For :math:`y = \sum_i w_i \, g(\langle a_i, x \rangle + b_i)` plus noise, with
    inputs of any smooth density, the directions :math:`a_i` are computed from the
    moments of y with the score functions of the density of x. Signs, biases and output
    weights follow by least squares, and all parameters are then trained from there (the
    polish). On data from such a network, this finds its parameters.

    Read more in the :doc:`user guide </user_guide/score_functions>`.

    Parameters
    ----------
    estimator : estimator, default=None
        The regressor that uses the recovered layer. None: an
        :class:`~sklearn.neural_network.MLPRegressor` that is trained by L-BFGS. A
        regressor with `hidden_layer_sizes` starts from the recovered network; any other
        is fitted on the hidden features.
    n_components : int, default=None
        Number of hidden units, at most the number of features. None: the number of
        features, or their rank if they are linearly dependent.
    activation : {"relu", "tanh", "logistic"}, default="relu"
        The activation of the hidden units.
    score_estimator : estimator, default=None
        Estimates the score functions: :class:`LocalLikelihoodScore`,
        :class:`GaussianScore`, :class:`GaussianMixtureScore`, or any estimator with
        `fit(X)` and their method `contract` or `log_density_derivatives`. It is cloned
        and fitted. None: local likelihood with the bandwidth factor, out of 1.5, 2.5,
        3.5, 5 and 8, whose network explains a held-out fifth of the samples best; with
        `polish`, after a few steps of training.
    order : {"auto", 3, 4}, default="auto"
        Order of the score function. "auto": 4 for "relu", 3 for "tanh" and "logistic".
        With the other order, only units with a large bias are found.
    residual_degree : {"auto", 1, 2} or None, default="auto"
        Degree of the polynomial of x that is first subtracted from y. Below `order`, it
        does not change the expected moments, but removes most of their sampling noise.
        "auto": `order - 2`. None: no polynomial, as in [1]_.
    solver : {"fixed_point", "lbfgs", "sgd"}, default="fixed_point"
        "fixed_point": orthogonal iteration, after whitening by :math:`E[y S_2]`.
        "lbfgs": minimises the designed loss in the same coordinates; if the output
        weights have both signs, "fixed_point" is used. "sgd": minimises the designed
        loss by stochastic gradient descent in the coordinates of X, as in [1]_; it
        needs orthogonal directions and features of one scale.
    polish : bool, default=True
        Whether all parameters are trained further after the recovery.
    mu : float, default=30.0
        Weight of the fourth powers in the designed loss.
    n_init : int, default=5
        Number of random starts of the solver.
    max_iter : int, default=300
        Maximum number of iterations of the solver; of epochs for "sgd".
    tol : float, default=1e-9
        Tolerance of the solver: on the change of the directions for "fixed_point", on
        the relative change of the loss for "lbfgs".
    alpha : float, default=1e-6
        Strength of the L2 penalty: on the output weights in the least squares, and on
        all weights in the training of the default `estimator`.
    random_state : int, RandomState instance or None, default=None
        Seeds the random starts and the choice of the held-out fifth.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The hidden weights, in the units of X.
    intercepts_ : ndarray of shape (n_components,)
        The hidden biases.
    init_components_ : ndarray of shape (n_components, n_features)
        The hidden weights before the polish.
    loss_ : float
        The designed loss of the recovered directions; for order 3, minus the sum of
        :math:`|T(a_i, a_i, a_i)|`.
    loss_curve_ : list of float
        For every iteration of the solver, the designed loss; for "fixed_point", the sum
        of :math:`|T(a_i, \dots, a_i)|`, or each term if M has both signs.
    n_iter_ : int
        Number of these iterations.
    score_estimator_ : estimator
        The fitted estimator of the score functions.
    estimator_ : estimator
        The fitted regressor.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    LocalLikelihoodScore : Score functions of any smooth density.
    skinfo.datasets.make_teacher_network : Samples of such a network.

    Notes
    -----
    With the score functions :math:`S_m(x) = (-1)^m \nabla^m p(x) / p(x)`, Stein's
    identity gives :math:`E[y S_m(x)] = \sum_i w_i c_{m,i} \, a_i^{\otimes m}`, where
    :math:`c_{m,i}` is the mean of the `m`-th derivative of `g` at unit `i`. Units with
    :math:`c_{m,i} = 0` cannot be recovered: for order 4, "relu" units with a bias near
    one standard deviation. The tensor of order 4 does not depend on the signs of the
    directions; they are chosen in the least squares.

    References
    ----------
    .. [1] W. Gao, A. V. Makkuva, S. Oh, P. Viswanath, "Learning One-hidden-layer Neural
       Networks under General Input Distributions", AISTATS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skinfo import GaussianScore, ScoreFunctionLoss
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(4000, 3))
    >>> directions, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    >>> y = np.maximum(X @ directions, 0).sum(axis=1)
    >>> model = ScoreFunctionLoss(score_estimator=GaussianScore(), random_state=0)
    >>> round(model.fit(X, y).score(X, y), 3)
    1.0
    >>> lengths = np.linalg.norm(model.components_, axis=1, keepdims=True)
    >>> cosines = np.abs(model.components_ / lengths @ directions)
    >>> cosines.max(axis=0).round(3)
    array([1., 1., 1.])
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = None,
        activation: str = "relu",
        score_estimator: Any = None,
        order: int | str = "auto",
        residual_degree: int | str | None = "auto",
        solver: str = "fixed_point",
        polish: bool = True,
        mu: float = 30.0,
        n_init: int = 5,
        max_iter: int = 300,
        tol: float = 1e-9,
        alpha: float = 1e-6,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_components = n_components
        self.activation = activation
        self.score_estimator = score_estimator
        self.order = order
        self.residual_degree = residual_degree
        self.solver = solver
        self.polish = polish
        self.mu = mu
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Recover the network, and train it further.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The outputs.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or `n_components` exceeds the number of
            features.
        TypeError
            If a parameter has the wrong type, `estimator` is no regressor, or
            `score_estimator` lacks the methods.
        """
        solver = self._check_parameters()
        X, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            order="C",  # the layout rounds sums, which decides between equal starts
            multi_output=True,
            y_numeric=True,
            ensure_min_samples=2,
        )
        y = np.asarray(y, dtype=np.float64)
        check_sizes("X", X)
        check_sizes("y", y)
        alpha = float(self.alpha)
        problem = make_problem(
            X,
            y.reshape(len(y), -1),
            n_components=self.n_components,
            activation=self.activation,
            residual_degree=self.residual_degree,
            alpha=max(alpha, _ALPHA_OF_START) if self.polish else alpha,
            solver=solver,
        )
        generator = check_random_state(self.random_state)
        is_network = self.estimator is None or has_hidden_layers(self.estimator)
        trains = self.polish and is_network
        recovery = recover(problem, self.score_estimator, generator, trains=trains)
        if not (self.polish or recovery.search.converged):
            warn(
                f"The solver did not converge in max_iter={self.max_iter} iterations. "
                "Pass a larger max_iter.",
                ConvergenceWarning,
            )
        self._activation = self.activation
        self._output_shape = y.shape[1:]  # of one sample
        self._n_features_out = problem.n_components
        self._loss = recovery.designed_loss
        self.loss_ = recovery.loss
        self.loss_curve_ = recovery.search.history
        self.n_iter_ = len(self.loss_curve_)
        self.score_estimator_ = recovery.score
        self.init_components_ = recovery.components
        self.estimator_, self.components_, self.intercepts_ = fit_regressor(
            self.estimator,
            problem,
            recovery.network,
            (recovery.components, recovery.intercepts),
            alpha=alpha,
            polish=self.polish,
            one_dimensional=y.ndim == 1,
        )
        return self

    def _check_parameters(self) -> Solver:
        """Return the solver, or raise if a parameter is wrong."""
        check_option("activation", self.activation, tuple(ACTIVATIONS))
        check_option("order", self.order, ("auto", 3, 4))
        check_option("residual_degree", self.residual_degree, ("auto", 1, 2, None))
        check_option("solver", self.solver, SOLVERS)
        check_bool("polish", self.polish)
        if self.estimator is not None:
            check_regressor(self.estimator)
        if self.score_estimator is not None:
            check_score_estimator(self.score_estimator)
        order = checked_order(self.order, self.activation, self.solver)
        check_positive("mu", self.mu)
        check_positive("tol", self.tol)
        check_positive("alpha", self.alpha)
        n_init = check_integer("n_init", self.n_init, minimum=1)
        max_iter = check_integer("max_iter", self.max_iter, minimum=1)
        mu, tol = float(self.mu), float(self.tol)
        return Solver(self.solver, order, mu, n_init, max_iter, tol)

    def _hidden_features(self, X: FloatArray) -> FloatArray:
        return hidden_features(X, self.components_, self.intercepts_, self._activation)

    def predict(self, X: ArrayLike) -> FloatArray:
        """Predict the outputs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The outputs.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if not has_hidden_layers(self.estimator_):
            X = self._hidden_features(X)
        outputs = np.asarray(self.estimator_.predict(X))
        return outputs.reshape(len(X), *self._output_shape)

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the coefficient of determination of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The outputs.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. None: all 1.

        Returns
        -------
        float
            R^2, the mean over the outputs.
        """
        return float(super().score(X, y, sample_weight))

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return the hidden features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            The activations of the hidden units.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self._hidden_features(X)

    def designed_loss(self, components: ArrayLike) -> float:
        """Return the designed loss of directions, on the data of `fit`.

        Parameters
        ----------
        components : array-like of shape (n_directions, n_features)
            Directions in the units of X. Their lengths are ignored.

        Returns
        -------
        float
            The loss, in coordinates in which x is white and y has unit variance. If all
            output weights have one sign, it is smallest at the true directions among
            all orthogonal ones.

        Raises
        ------
        ValueError
            If the order is 3, for which there is no such loss.
        """
        check_is_fitted(self)
        if self._loss is None:
            raise ValueError(
                "The designed loss needs order=4. Pass activation='relu' or order=4."
            )
        rows = check_array(components, dtype=np.float64, input_name="components")
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(
                f"components has {rows.shape[1]} columns, but X has "
                f"{self.n_features_in_} features. Pass one row per direction."
            )
        return self._loss.of(rows)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags
