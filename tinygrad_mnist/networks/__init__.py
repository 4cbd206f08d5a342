"""Networks: passes chained by hand, forward, and then backward in reverse order."""
