"""Declarative automation decided: what conditions, the asset graph, stored facts and the last cursor come to."""
