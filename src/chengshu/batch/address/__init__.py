"""Parse Chinese addresses and match them to the district's address library."""
