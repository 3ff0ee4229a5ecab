"""Tests, intervals, tables of pairs and trees."""
