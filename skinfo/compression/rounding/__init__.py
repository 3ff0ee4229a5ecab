"""Weights to integers, the error of each fed back into the next ones."""
