"""From definitions and a selection to an execution plan."""
