"""Every stored or sent fact as a frozen, typed record. Knows no I/O and no user code."""
