"""The deciders: pure machines, one a file; state, event and now in, new state and commands out."""
