"""A training run around its mathematics: its settings, its checkpoint, how it is resumed, and what uses its result."""
