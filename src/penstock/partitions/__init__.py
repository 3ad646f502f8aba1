"""Partitions: sets of keys with closed-form arithmetic, parts of them, and the rules that relate them."""
