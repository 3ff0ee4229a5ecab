"""ScoreFunctionLoss: a regressor that recovers the hidden layer of a network."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    TransformerMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skinfo._core._checks import check_bool, check_integer, check_option, check_positive
from skinfo._core._threads import one_blas_thread
from skinfo._core._typing import FloatArray
from skinfo._core._warnings import warn
from skinfo.score_functions.densities._estimator import check_sizes
from skinfo.score_functions.densities._local_likelihood import LocalLikelihoodScore
from skinfo.score_functions.recovery._directions import (
    SOLVERS,
    Solver,
    check_score_estimator,
)
from skinfo.score_functions.recovery._fitted_loss import fit_loss
from skinfo.score_functions.recovery._head import ACTIVATIONS, Network
from skinfo.score_functions.recovery._polish import network_in_mlp, rescale_mlp
from skinfo.score_functions.recovery._problem import (
    Problem,
    Solution,
    affordable_degree,
    choose_bandwidth_factor,
    fit_coordinates,
    solve,
    white_parts,
)
from skinfo.score_functions.tensors._average import Parts

_ORDERS = {"relu": 4, "tanh": 3, "logistic": 3}
_MOST_EVALUATIONS = 1_000_000  # of the loss, so that max_iter decides
_ALPHA_OF_START = 1e-2  # large weights that cancel are a poor start of a training


class ScoreFunctionLoss(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    BaseEstimator,
):
    r"""Regression by a network whose hidden layer is recovered, not searched for.

    For :math:`y = \sum_i w_i \, g(\langle a_i, x \rangle + b_i)` plus noise, with
    inputs of any smooth law, the directions :math:`a_i` are read off the moments of y
    with the score functions of the density of x. Signs, biases and output weights
    follow by least squares, and an ordinary training from there polishes all of them.
    On data that such a network made, this finds its parameters; on other data it is a
    good start for a network of one hidden layer.

    Read more in the :doc:`user guide </user_guide/score_functions>`.

    Parameters
    ----------
    estimator : estimator, default=None
        The regressor that is started from the recovered layer. None: an
        :class:`~sklearn.neural_network.MLPRegressor` that is trained by L-BFGS. One
        with `hidden_layer_sizes` gets this layer as its own; any other is fitted to
        the hidden features.
    n_components : int, default=None
        Number of hidden units, at most the number of features. None: as many, or their
        rank where they depend on each other linearly.
    activation : {"relu", "tanh", "logistic"}, default="relu"
        The activation of the hidden units.
    score_estimator : estimator, default=None
        Estimates the score functions: :class:`LocalLikelihoodScore`,
        :class:`GaussianScore`, :class:`GaussianMixtureScore` or any estimator with
        their methods. It is cloned and fitted. None: local likelihood, with the
        bandwidth factor of 1.5, 2.5, 3.5, 5 and 8 whose network explains a held-out
        fifth best, after some steps of the polish, if there is one.
    order : {"auto", 3, 4}, default="auto"
        Order of the score function. "auto": 4 for "relu", 3 for "tanh" and "logistic".
        The other order sees units with a large bias alone.
    residual_degree : {"auto", 1, 2} or None, default="auto"
        Degree of the polynomial of x that is taken from y beforehand. It changes no
        expectation as long as it is below `order`, and takes most of the sampling noise
        away. "auto": `order - 2`. None: none, as in [1]_.
    solver : {"fixed_point", "lbfgs", "sgd"}, default="fixed_point"
        "fixed_point": orthogonal iteration, after whitening by :math:`E[y S_2]`.
        "lbfgs": the designed loss, in the same coordinates; where the units have
        weights of both signs, the fixed point is used. "sgd": the designed loss by
        stochastic descent in the coordinates of X, as in [1]_: for directions that are
        orthogonal there, and columns of one scale.
    polish : bool, default=True
        Whether all parameters are trained on from where they were recovered.
    mu : float, default=30.0
        Weight of the fourth powers in the designed loss.
    n_init : int, default=5
        Number of random starts of the solver.
    max_iter : int, default=300
        Number of iterations of the solver (of "sgd": epochs) at most.
    tol : float, default=1e-9
        Tolerance at which the solver stops.
    alpha : float, default=1e-6
        Strength of the ridge on the output weights.
    random_state : int, RandomState instance or None, default=None
        Seeds the starts and the held-out fifth.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The hidden weights, in the units of X.
    intercepts_ : ndarray of shape (n_components,)
        The hidden biases.
    init_components_ : ndarray of shape (n_components, n_features)
        The hidden weights before the polish.
    loss_ : float
        The designed loss of the recovered directions (order 4), or minus the sum of
        their third powers.
    loss_curve_ : list of float
        Sum of the powers of the directions, or the loss, in every step of the solver.
    n_iter_ : int
        Number of these steps.
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
    skinfo.datasets.make_teacher_network : Data that such a network made.

    Notes
    -----
    With the score functions :math:`S_m(x) = (-1)^m \nabla^m p(x) / p(x)`, Stein's
    identity gives :math:`E[y S_m(x)] = \sum_i w_i c_{m,i} \, a_i^{\otimes m}`, where
    :math:`c_{m,i}` is the mean of the `m`-th derivative of `g`. This decides what is
    recovered: units of "relu" with a bias near one standard deviation are invisible to
    order 4, and the sign of a direction is, too.

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
        """Recover the network, and train it on from there.

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
        solver, order = self._check_parameters()
        X, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            order="C",  # the order of sums decides between starts that are as good
            multi_output=True,
            y_numeric=True,
            ensure_min_samples=2,
        )
        y = np.asarray(y, dtype=np.float64)
        Y = y.reshape(len(y), -1)
        check_sizes("X", X)
        check_sizes("y", Y)
        center, scale = Y.mean(axis=0), Y.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        targets, means = (Y - center) / scale, center / scale
        problem = self._make_problem(X, targets, means, order, solver)
        generator = check_random_state(self.random_state)
        with one_blas_thread():
            self.score_estimator_, parts = self._fit_score_estimator(problem, generator)
            solution = solve(problem, parts, generator)
        if not (self.polish or solution.search.converged):
            warn(
                f"The solver did not converge in max_iter={self.max_iter} iterations. "
                "Pass a larger max_iter.",
                ConvergenceWarning,
            )
        self._activation = self.activation
        self._n_outputs = None if y.ndim == 1 else y.shape[1]
        self._n_features_out = problem.n_components
        self._keep_solution(problem, solution, parts)
        self._fit_estimator(problem, solution.network, center, scale)
        return self

    def _check_parameters(self) -> tuple[Solver, int]:
        """Raise where a parameter is wrong whatever the data."""
        check_option("activation", self.activation, tuple(ACTIVATIONS))
        check_option("order", self.order, ("auto", 3, 4))
        check_option("residual_degree", self.residual_degree, ("auto", 1, 2, None))
        check_option("solver", self.solver, SOLVERS)
        check_bool("polish", self.polish)
        self._check_estimator()
        if self.score_estimator is not None:
            check_score_estimator(self.score_estimator)
        order = _ORDERS[self.activation] if self.order == "auto" else int(self.order)
        if order == 3 and self.solver != "fixed_point":
            raise ValueError(
                f"solver={self.solver!r} minimises the designed loss, which needs "
                f"order=4, but order={self.order!r} with activation="
                f"{self.activation!r} is 3. Pass order=4 or solver='fixed_point'."
            )
        check_positive("mu", self.mu)
        check_positive("tol", self.tol)
        check_positive("alpha", self.alpha)
        n_init = check_integer("n_init", self.n_init, minimum=1)
        max_iter = check_integer("max_iter", self.max_iter, minimum=1)
        solver = Solver(self.solver, float(self.mu), n_init, max_iter, float(self.tol))
        return solver, order

    def _check_estimator(self) -> None:
        given = self.estimator
        if given is None:
            return
        has_tags = hasattr(given, "__sklearn_tags__")
        is_estimator = has_tags and not isinstance(given, type)
        if is_estimator and is_classifier(given):
            raise ValueError(f"estimator={given!r} is a classifier. Pass a regressor.")
        if not (is_estimator and hasattr(given, "predict") and is_regressor(given)):
            raise TypeError(
                f"estimator={given!r} must be a regressor, not {type(given).__name__}. "
                "Pass, for example, Ridge(), or None."
            )
        loss = getattr(given, "loss", "squared_error")
        if hasattr(given, "hidden_layer_sizes") and loss != "squared_error":
            raise ValueError(
                f"loss={loss!r} of the estimator must be 'squared_error', which the "
                "recovered layer starts from. Pass an MLPRegressor with that loss."
            )

    def _residual_degree(self, order: int) -> int:
        if self.residual_degree == "auto":
            return order - 2
        return 0 if self.residual_degree is None else int(self.residual_degree)

    def _number_of_components(self, n_features: int, rank: int) -> int:
        """Return the number of hidden units, or raise where there are too many."""
        if self.n_components is None:
            return max(rank, 1)
        number = check_integer("n_components", self.n_components, minimum=1)
        if number > rank:
            linearly = "" if rank == n_features else "linearly independent "
            raise ValueError(
                f"n_components={number} must be at most the number of {linearly}"
                f"features ({rank}): more directions cannot be told apart by the "
                "moments of y. Pass a smaller n_components, or None."
            )
        return number

    def _make_problem(
        self,
        X: FloatArray,
        targets: FloatArray,
        means: FloatArray,
        order: int,
        solver: Solver,
    ) -> Problem:
        """Return what is to be solved. `means`: taken from the scaled targets."""
        whitening = fit_coordinates(X, solver)
        return Problem(
            X,
            targets,
            means,
            whitening,
            self._number_of_components(X.shape[1], whitening.rank),
            self.activation,
            order,
            affordable_degree(self._residual_degree(order), *X.shape),
            max(self.alpha, _ALPHA_OF_START) if self.polish else float(self.alpha),
            solver,
        )

    def _fit_score_estimator(
        self, problem: Problem, generator: np.random.RandomState
    ) -> tuple[Any, Parts]:
        """Return the fitted estimator, and its scores in white coordinates."""
        if self.score_estimator is not None:
            score = clone(self.score_estimator)
            score.fit(problem.X)
            return score, white_parts(
                score,
                problem.whitening,
                problem.X.shape,
                samplewise=problem.solver.name == "sgd",
            )
        trains = self.estimator is None or hasattr(self.estimator, "hidden_layer_sizes")
        factor = choose_bandwidth_factor(
            problem, generator, polish=self.polish and trains
        )
        score = LocalLikelihoodScore(
            bandwidth_factor=factor, derivative_order=problem.order
        ).fit(problem.X)
        with warnings.catch_warnings():  # of a bandwidth that nobody passed
            warnings.simplefilter("ignore", ConvergenceWarning)
            return score, white_parts(score, problem.whitening, problem.X.shape)

    def _keep_solution(
        self, problem: Problem, solution: Solution, parts: Parts
    ) -> None:
        """Store the directions that were found, and how."""
        self._order = problem.order
        inverse = problem.whitening.inverse
        self.init_components_ = solution.network.components @ inverse.T
        self.loss_curve_ = solution.search.history
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = -solution.search.objective
        if problem.order == 4:
            self._loss, self.loss_ = fit_loss(
                self.score_estimator_,
                problem.whitening,
                solution.residual / len(problem.X),
                mu=float(self.mu),
                parts=parts,
                components=self.init_components_,
            )

    def _fit_estimator(
        self, problem: Problem, network: Network, center: FloatArray, scale: FloatArray
    ) -> None:
        """Start the wrapped regressor from the network, and store its parameters."""
        whitening = problem.whitening
        self.components_ = self.init_components_
        self.intercepts_ = network.intercepts - self.components_ @ whitening.mean
        outputs = problem.targets * scale + center
        if self.estimator is None:
            regressor = MLPRegressor(
                hidden_layer_sizes=(problem.n_components,),
                activation=self.activation,
                solver="lbfgs",
                alpha=float(self.alpha),
                max_iter=1000,
                max_fun=_MOST_EVALUATIONS,
                tol=1e-10,
                random_state=0,
            )
        else:
            regressor = clone(self.estimator)
        if "hidden_layer_sizes" not in regressor.get_params():
            hidden = self._hidden_features(problem.X)
            self.estimator_ = regressor.fit(hidden, self._as_passed(outputs))
            return
        regressor.set_params(
            hidden_layer_sizes=(problem.n_components,), activation=self.activation
        )
        self.estimator_ = network_in_mlp(
            regressor,
            network,
            problem.white,
            self._as_passed(problem.targets),
            polish=self.polish,
        )
        rescale_mlp(self.estimator_, whitening, center, scale)
        self.components_ = self.estimator_.coefs_[0].T
        self.intercepts_ = self.estimator_.intercepts_[0]

    def _as_passed(self, outputs: FloatArray) -> FloatArray:
        """Return outputs (n, n_outputs) in the shape of the y of `fit`."""
        return outputs[:, 0] if self._n_outputs is None else outputs

    def _hidden_features(self, X: FloatArray) -> FloatArray:
        return ACTIVATIONS[self._activation](X @ self.components_.T + self.intercepts_)

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
        if not hasattr(self.estimator_, "coefs_"):
            X = self._hidden_features(X)
        outputs = np.asarray(self.estimator_.predict(X)).reshape(len(X), -1)
        return self._as_passed(outputs)

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
            Weights of the samples in the score. None: all 1.

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
            Directions in the units of X. Their lengths do not count.

        Returns
        -------
        float
            The loss, in coordinates where x is white and y has unit variance. Among
            orthogonal directions it is smallest at those of the data, if their output
            weights have one sign.

        Raises
        ------
        ValueError
            If the order is 3, for which there is no such loss.
        """
        check_is_fitted(self)
        if self._order != 4:
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
