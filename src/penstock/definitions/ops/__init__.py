"""Ops, graphs and jobs."""
