"""Automation conditions: expressions over what is known of assets and checks."""
