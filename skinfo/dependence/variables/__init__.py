"""Columns as codes, levels and coordinates; random vectors as distinct rows."""
