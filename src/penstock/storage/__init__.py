"""Where facts are kept: one small Protocol per noun, and their implementations."""
