"""A random vector with its cells and the kernel between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinfo._core._vectors import RandomVector
from skinfo.dependence.kernels._cells import Cells, gather
from skinfo.dependence.kernels._channel import SmoothedVector, smooth_cells
from skinfo.dependence.variables._new_samples import TrainingVector, training_vector

_SMALLEST_BANDWIDTH = 1e-100  # standard deviations; squared distances stay finite


@dataclass(frozen=True)
class KernelVector:
    """A random vector prepared for kernel estimates.

    `schema`: its columns without samples. `bandwidth`: in units of the coordinates.
    """

    schema: RandomVector
    training: TrainingVector
    bandwidth: float
    smoothed: SmoothedVector

    @property
    def cells(self) -> Cells:
        """The cells of the samples."""
        return self.smoothed.cells


def kernel_vector(
    vector: RandomVector, bandwidth_factor: float, *, pooled: bool = False
) -> KernelVector:
    """Gather the samples in cells, for the bandwidth c std n^(-1 / (d + 4)).

    `pooled`: one standard deviation for all entries, as in the authors' code; otherwise
    one for each column.
    """
    training = training_vector(vector, None if pooled else "standard")
    variable = training.variable
    n, d = variable.n_samples, variable.n_coordinates
    deviation = _pooled_deviation(vector) if pooled else 1.0
    bandwidth = bandwidth_factor * deviation * n ** (-1 / (d + 4))
    bandwidth = max(bandwidth, _SMALLEST_BANDWIDTH * deviation)
    cells = gather(variable.groups, variable.points / bandwidth, variable.counts)
    of_samples = Cells(
        cells.codes[variable.codes], cells.counts, cells.groups, cells.points
    )
    schema = vector.take(np.zeros(n, dtype=bool))
    return KernelVector(schema, training, bandwidth, smooth_cells(of_samples))


def _pooled_deviation(vector: RandomVector) -> float:
    """Return the standard deviation of all numeric entries together; 1 if it is 0."""
    values = [
        column.values.astype(float)
        for column, nominal in zip(vector.columns, vector.nominal, strict=True)
        if not nominal
    ]
    largest = float(np.abs(values).max(initial=0))
    if largest == 0:
        return 1.0
    return float(np.std(np.array(values) / largest)) * largest or 1.0
