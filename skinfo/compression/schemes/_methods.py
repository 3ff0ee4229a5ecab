"""The methods of RDCompressor: a function and what sets its size, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from skinfo._core._checks import check_integer, check_positive, check_probability
from skinfo.compression.file._coded_model import CodedModel
from skinfo.compression.schemes._kmeans import kmeans
from skinfo.compression.schemes._pruning import pruned
from skinfo.compression.schemes._rate_distortion import rate_distortion
from skinfo.compression.schemes._target import CompressionProblem, Target


@dataclass(frozen=True, eq=False)
class Method:
    """A compression method.

    Attributes
    ----------
    compress : callable
        CompressionProblem -> CodedModel.
    targets : tuple of str
        The parameters of RDCompressor of which one sets the size of the model.
    default : Target
        The target where none of them is given.
    """

    compress: Callable[[CompressionProblem], CodedModel]
    targets: tuple[str, ...]
    default: Target


BUDGETS = ("rate", "n_bytes", "distortion")
_CHECKS: dict[str, Callable[[str, Any], float]] = {
    "rate": check_positive,
    "n_bytes": partial(check_integer, minimum=1),
    "distortion": check_positive,
    "sparsity": check_probability,
}


# 3 bits a weight and a tenth of the weights are the documented defaults.
_THREE_BITS, _ONE_IN_TEN = Target("rate", 3.0), Target("sparsity", 0.9)
METHODS: dict[str, Method] = {
    "rate_distortion": Method(rate_distortion, BUDGETS, _THREE_BITS),
    "kmeans": Method(kmeans, BUDGETS, _THREE_BITS),
    "prune": Method(partial(pruned, refit=False), ("sparsity",), _ONE_IN_TEN),
    "prune_refit": Method(partial(pruned, refit=True), ("sparsity",), _ONE_IN_TEN),
}


def chosen_target(method: str, **amounts: float | None) -> Target:
    """Return the target of a method: the one amount that is not None, or the default.

    Raises a ValueError for two of BUDGETS, or an amount that does not set this method.
    """
    given = {name: amount for name, amount in amounts.items() if amount is not None}
    budgets = [name for name in given if name in BUDGETS]
    if len(budgets) > 1:
        raise ValueError(
            f"At most one of rate, n_bytes and distortion may be given, not "
            f"{' and '.join(budgets)}. Leave the others None."
        )
    targets, default = METHODS[method].targets, METHODS[method].default
    for name, amount in given.items():
        if name in targets:
            continue
        if name in BUDGETS:
            known = " or ".join(targets)
            raise ValueError(
                f"method={method!r} is set by {known}, not by {name}. Pass {known}, or "
                "another method."
            )
        raise ValueError(
            f"{name}={amount!r} has no meaning for method={method!r}. Pass "
            f"method='prune_refit', or {name}=None."
        )
    name, amount = next(iter(given.items()), (default.name, default.amount))
    return Target(name, _CHECKS[name](name, amount))
