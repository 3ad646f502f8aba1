"""The command line. Commands import what they need inside themselves, so that `penstock --version` is instant."""
