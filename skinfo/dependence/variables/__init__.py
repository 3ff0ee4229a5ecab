"""Columns of any kind as codes, levels and coordinates."""
