"""The file of a compressed model: what is coded, write, read, check."""
