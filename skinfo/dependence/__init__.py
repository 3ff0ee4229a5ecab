"""How strongly do variables depend on each other."""
