"""Runs a plan: contexts, one attempt of a step, inputs and outputs, resources, executors, the run worker."""
