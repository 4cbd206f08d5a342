"""Is every step of a derivation right? Both sides of every equals sign on the pages are evaluated and compared."""
