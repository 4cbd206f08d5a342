"""A picture in, a digit out: find the ink, read it, and say when a prediction is not sure."""
