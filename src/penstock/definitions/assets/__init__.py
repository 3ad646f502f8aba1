"""Assets, their checks, and selections of them."""
