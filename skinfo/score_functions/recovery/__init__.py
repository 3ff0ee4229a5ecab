"""The hidden layer of a network from moments of score functions."""
