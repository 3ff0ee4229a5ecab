"""Score functions of a log density that is approximated by local quadratics."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from skinfo._core._typing import FloatArray
from skinfo.score_functions.densities._estimator import ScoreFunctionEstimator
from skinfo.score_functions.tensors._average import QuadraticPart
from skinfo.score_functions.tensors._pointwise import contracted_scores, score_tensors


class LocallyQuadraticScore(ScoreFunctionEstimator):
    """Base class for a log density whose third and fourth derivatives are neglected.

    A subclass implements `_fit`, `_log_density_derivatives` and `_objective`.
    """

    @abstractmethod
    def _log_density_derivatives(
        self, X: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the gradient (n, d) and the Hessian (n, d, d) of log p.

        For X=None, a local estimate leaves each sample out of its own estimate.
        """

    @abstractmethod
    def _objective(self, X: FloatArray | None) -> FloatArray:
        """Return |a|^2 / 2 + div a of each sample, (n,), with a = grad log p.

        The divergence is that of the estimated gradient, which the trace of the
        estimated Hessian need not be.
        """

    def _score_function(self, X: FloatArray | None, order: int) -> FloatArray:
        return score_tensors(*self._log_density_derivatives(X), order)

    def _contract(
        self, X: FloatArray | None, vectors: FloatArray, order: int
    ) -> FloatArray:
        gradient, hessian = self._log_density_derivatives(X)
        curvature = np.einsum("nij,vi,vj->nv", hessian, vectors, vectors, optimize=True)
        return contracted_scores(gradient @ vectors.T, curvature, order)

    def quadratic_parts(self) -> list[QuadraticPart]:
        """Return the scores at the samples of `fit`, for :class:`ScoreFunctionLoss`.

        Returns
        -------
        list of QuadraticPart
            One part: the log density is taken as quadratic near each sample.
        """
        gradient, hessian = self.log_density_derivatives()
        return [QuadraticPart(np.ones(len(gradient)), -gradient, hessian)]
