"""The proof that derivatives are right: our own cases for the gradient checker, and bugs to plant in them."""
