"""Penstock: a data orchestrator."""
