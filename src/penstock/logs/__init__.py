"""Captured stdout and stderr of steps: taking them, keeping them, reading them while they grow."""
