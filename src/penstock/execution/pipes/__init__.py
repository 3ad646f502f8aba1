"""Pipes: processes outside of Python's reach that are told of the step they work for, and report to it."""
