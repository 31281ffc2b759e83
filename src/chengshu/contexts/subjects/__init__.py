"""Golden records, runs, corrections, returns and links."""
