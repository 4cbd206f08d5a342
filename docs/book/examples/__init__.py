"""Layers for the guide to `verify`: one is right, one is wrong, and one cannot be decided."""
