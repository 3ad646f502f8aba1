"""Alerts: what has happened is found, and messages about it go to their targets."""
