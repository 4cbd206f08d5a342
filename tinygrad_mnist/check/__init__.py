"""Is this backward the derivative of this forward? `verify` says so, for any code."""
