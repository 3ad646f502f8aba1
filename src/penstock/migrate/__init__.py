"""Moves a project of Dagster's here: imports, names, settings and dependencies. Needs the extra `migrate`."""
