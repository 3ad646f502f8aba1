"""Finds what is wrong with an instance, and says what to do: one reader gathers facts, pure checks judge them."""
