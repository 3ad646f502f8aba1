"""An instance's history as a file, which another instance takes in, whichever database each of them has."""
