"""Run config: the types it is declared with, its check, and what users write to declare it."""
