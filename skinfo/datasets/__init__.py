"""Generators of samples with their exact truth."""

from skinfo.datasets._hidden_correlation import make_hidden_correlation
from skinfo.datasets._mutual_information import (
    make_discrete_continuous_mixture,
    make_discrete_plus_uniform,
    make_gaussian_dropout,
    make_zero_inflated_poisson,
)
from skinfo.datasets._teacher_network import make_teacher_network

__all__ = [
    "make_discrete_continuous_mixture",
    "make_discrete_plus_uniform",
    "make_gaussian_dropout",
    "make_hidden_correlation",
    "make_teacher_network",
    "make_zero_inflated_poisson",
]
