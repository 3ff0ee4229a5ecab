"""Score-function tensors, at points and on average, and contractions."""
