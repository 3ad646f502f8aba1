"""How a run gets from the one who asks for it to the process that does it: coordinators and launchers."""
