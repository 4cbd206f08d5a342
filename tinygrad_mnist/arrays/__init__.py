"""Arrays: the backend that computes with them, examples, layers, and shape checks.

No library is chosen globally. A function that needs more than operators gets its argument's library from
`array_namespace(x)`, and therefore runs on the device that the argument is on.
"""
