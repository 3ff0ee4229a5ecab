"""Centres and scales of columns."""

from __future__ import annotations

import numpy as np

from skinfo._core._scales import centers_and_scales


def test_columns_that_vary_have_their_moments():
    X = np.random.default_rng(0).normal(size=(50, 3)) * [1e-9, 1, 1e9]
    centers, scales = centers_and_scales(X)
    np.testing.assert_array_equal(centers, X.mean(axis=0))
    np.testing.assert_array_equal(scales, X.std(axis=0))


def test_columns_that_are_constant_but_for_rounding_vanish_in_their_units():
    rounded = np.where(np.arange(30) % 2, 0.1, 0.3 - 0.2)
    X = np.column_stack([np.full(30, 0.1), np.zeros(30), np.full(30, -7e8), rounded])
    centers, scales = centers_and_scales(X)
    np.testing.assert_array_equal(centers, X[0])
    np.testing.assert_array_equal((X - centers) / scales, np.zeros((30, 4)))
