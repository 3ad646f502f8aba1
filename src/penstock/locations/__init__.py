"""Code locations: where user code comes from, the code server that keeps it warm, and how others reach it."""
