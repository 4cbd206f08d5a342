"""Training runs: their settings and checkpoints, how they are resumed, and what uses their results."""
