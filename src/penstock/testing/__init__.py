"""What tests of Penstock and of its users' own components share: contract suites that every implementation passes."""
