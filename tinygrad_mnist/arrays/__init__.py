"""Where arrays live, and what is asked of them: the backend, shape checks, `tensor` and `stack`.

Nothing here is global. A function that needs more than operators asks `array_namespace(x)` for the functions of the
array that it was given, and therefore runs wherever that array lives.
"""
