"""The base class of selectors that rank features by dependence with a target."""

from __future__ import annotations

import math
import numbers
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skinfo._core._checks import check_integer, check_option, check_probability
from skinfo._core._columns import NAN_POLICIES, nominal_by_kind
from skinfo._core._frames import frame_to_array, is_dataframe, select_columns
from skinfo._core._permutation import draw_seeds, permutation_pvalues, significant
from skinfo._core._typing import BoolArray, FloatArray, IntArray
from skinfo._core._vectors import RandomVector, complete_pair
from skinfo._core._warnings import warn
from skinfo.dependence.measures._measure import DependenceMeasure
from skinfo.dependence.selection._features import (
    feature_results,
    read_features_and_target,
)


class DependenceSelector(SelectorMixin, BaseEstimator):
    """Base class of estimators that select features by dependence with a target.

    A subclass defines the measure of dependence (`_make_measure`) and its value on new
    samples (`_held_out_value`).
    """

    @abstractmethod
    def _make_measure(self) -> DependenceMeasure[Any]:
        """Return the measure, or raise if one of its parameters is invalid."""

    @abstractmethod
    def _held_out_value(
        self,
        training: tuple[RandomVector, RandomVector],
        new: tuple[RandomVector, RandomVector],
    ) -> float:
        """Return the dependence on new samples, given the training samples."""

    def _keep_results(self, results: Sequence[Any]) -> None:
        """Store what the measure returns for each feature in addition to its value."""

    def _ranking(
        self,
        features: RandomVector,
        target: RandomVector,
        scores: FloatArray,
        n_selected: int,
    ) -> IntArray | None:
        """Return the rank of each feature (n_features,), from 1 for the best.

        None ranks features by their scores.
        """
        return None

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Measure the dependence of each feature with the target, and select features.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            The features: numbers, dates, booleans, strings or categories.
        y : array-like or dataframe of shape (n_samples,) or (n_samples, n_outputs)
            The target: numbers, strings or categories. Several columns form one
            random vector.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is invalid for the data, or values are missing and
            `nan_policy` is "raise".
        TypeError
            If a parameter has the wrong type, or X is sparse.

        Warns
        -----
        UserWarning
            If there are too few permutations for any feature to be selected at
            `alpha`.
        """
        measure = self._make_measure()
        self._check_parameters()
        validate_data(self, X, y, skip_check_array=True)
        features, target = read_features_and_target(
            X,
            y,
            self.discrete_features,
            self.discrete_target,
            nan_policy=self.nan_policy,
            is_nominal=measure.is_nominal,
        )
        measure.check_samples(features.n_samples)
        n_selected = _number_to_select(self.n_features_to_select, self.n_features_in_)
        self._warn_if_too_few_permutations()

        seeds = draw_seeds(self.random_state, self.n_permutations)
        results, null_distribution = feature_results(
            measure,
            features,
            target,
            seeds=seeds.tolist(),
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        scores = np.array([float(result) for result in results])
        ranking = self._ranking(features, target, scores, n_selected)
        self.scores_ = scores
        self.discrete_features_ = features.nominal
        self._keep_results(results)
        passed = np.ones(self.n_features_in_, dtype=bool)
        for name in {"null_distribution_", "pvalues_", "ranking_"} & vars(self).keys():
            delattr(self, name)  # of an earlier fit
        if self.n_permutations > 0:
            self.null_distribution_ = null_distribution
            self.pvalues_ = permutation_pvalues(self.scores_, null_distribution)
            if self.alpha is not None:
                passed = significant(false_discovery_control(self.pvalues_), self.alpha)
        if ranking is None:
            self._support_mask = _best(self.scores_, passed, n_selected)
        else:
            self.ranking_ = ranking
            self._support_mask = ranking <= n_selected
        selected = features.select(np.flatnonzero(self._support_mask))
        self._training = selected.copy(), target.copy()
        return self

    def _check_parameters(self) -> None:
        """Raise if a parameter of the selection is invalid for any data."""
        check_option("nan_policy", self.nan_policy, NAN_POLICIES)
        check_integer("n_permutations", self.n_permutations, minimum=0)
        if self.alpha is not None:
            check_probability("alpha", self.alpha)
            if self.n_permutations == 0:
                raise ValueError(
                    f"alpha={self.alpha!r} needs p-values, but n_permutations=0. "
                    "Pass n_permutations=999, or alpha=None to select without a test."
                )

    def _warn_if_too_few_permutations(self) -> None:
        if self.alpha is None:
            return
        # 1 / (1 + n_permutations) <= alpha / n_features, up to rounding
        needed = math.ceil(self.n_features_in_ / self.alpha * (1 - 1e-12)) - 1
        if self.n_permutations < needed:
            warn(
                f"With n_permutations={self.n_permutations}, a single feature that "
                f"depends on the target cannot be selected at alpha={self.alpha!r} "
                f"among {self.n_features_in_} features. "
                f"Pass n_permutations={needed} or more.",
            )

    def _get_support_mask(self) -> BoolArray:
        check_is_fitted(self)
        return self._support_mask

    def transform(self, X: ArrayLike) -> Any:
        """Reduce X to the selected features.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray or dataframe of shape (n_samples, n_selected_features)
            The selected columns. With `set_output`, columns of a dataframe keep their
            dtypes; otherwise columns without a common dtype become an array of objects.
        """
        check_is_fitted(self)
        if not is_dataframe(X):
            return super().transform(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        if not self._support_mask.any():
            warn(
                "No features were selected: none is significant at "
                f"alpha={self.alpha!r}. Pass a larger alpha or more samples.",
            )
        selected = select_columns(X, np.flatnonzero(self._support_mask))
        output = getattr(self, "_sklearn_output_config", {})  # of set_output
        if output.get("transform", get_config()["transform_output"]) != "default":
            return selected
        return frame_to_array(selected, allow_nan=self.nan_policy == "omit")

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return the dependence of the selected features with y on new samples.

        The selected features form one random vector. The score evaluates them on
        samples that were not seen in `fit`: larger is better, and independent data
        score about 0 or below.

        Parameters
        ----------
        X : array-like or dataframe of shape (n_samples, n_features)
            New samples of all features.
        y : array-like or dataframe of shape (n_samples,) or (n_samples, n_outputs)
            Their target.

        Returns
        -------
        float
            The held-out dependence; 0.0 if no feature is selected.

        Raises
        ------
        ValueError
            If values are missing and `nan_policy` is "raise", or X and y do not have
            the columns of `fit`.
        """
        check_is_fitted(self)
        validate_data(self, X, y, reset=False, skip_check_array=True)
        training_features, training_target = self._training
        features, target = read_features_and_target(
            X,
            y,
            "auto",
            "auto",
            nan_policy=self.nan_policy,
            is_nominal=nominal_by_kind,  # `like` makes it the same as in fit
        )
        if len(target.columns) != len(training_target.columns):
            raise ValueError(
                f"y has {len(target.columns)} columns, but had "
                f"{len(training_target.columns)} in fit. Pass as many as in fit."
            )
        if not self._support_mask.any():
            return 0.0
        features = features.select(np.flatnonzero(self._support_mask))
        measure = self._make_measure()
        measure.check_samples(training_features.n_samples)
        training = complete_pair(
            training_features,
            training_target,
            minimum=measure.minimum_samples,
            advice=measure.advice,
        )
        new = complete_pair(
            features.like(training_features), target.like(training_target), minimum=1
        )
        return self._held_out_value(training[:2], new[:2])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.nan_policy == "omit"
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


def _number_to_select(n_features_to_select: Any, n_features: int) -> int:
    """Return the number of features to select: all for None, a fraction for a float."""
    if n_features_to_select is None:
        return n_features
    if isinstance(n_features_to_select, numbers.Integral):
        number = check_integer("n_features_to_select", n_features_to_select, minimum=1)
        if number > n_features:
            raise ValueError(
                f"n_features_to_select={number} must be at most the number of features "
                f"({n_features}). Pass a smaller n_features_to_select, or None for all."
            )
        return number
    if not isinstance(n_features_to_select, numbers.Real):
        raise TypeError(
            f"n_features_to_select={n_features_to_select!r} must be an integer, a "
            "fraction of the features or None, not "
            f"{type(n_features_to_select).__name__}. Pass, for example, 5 or 0.5."
        )
    fraction = float(n_features_to_select)
    if not 0 < fraction <= 1:
        raise ValueError(
            f"n_features_to_select={n_features_to_select!r} is a fraction and must be "
            "in (0, 1]. Pass an integer to give a number of features."
        )
    return max(1, int(fraction * n_features))


def _best(scores: FloatArray, significant: BoolArray, n_selected: int) -> BoolArray:
    """Return the mask of the largest scores among the significant ones."""
    ranking = np.argsort(np.where(significant, -scores, np.inf), kind="stable")
    mask = np.zeros(len(scores), dtype=bool)
    mask[ranking[:n_selected]] = True
    return mask & significant
