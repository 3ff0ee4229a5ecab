"""The file of a compressed model: its content, writing, reading and checks."""
