"""Golden records, runs, corrections, returns and links: the only module that other contexts, interfaces and the site may import."""
