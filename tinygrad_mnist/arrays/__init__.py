"""Arrays: the backend that computes with them, shape checks, `tensor` and `stack`.

No library is chosen globally. A function that needs more than operators gets its argument's library from
`array_namespace(x)`, and therefore runs on the device that the argument is on.
"""
