"""The proof that derivatives are right: a gradient checker, the oracles that it uses, our cases, and planted bugs."""
