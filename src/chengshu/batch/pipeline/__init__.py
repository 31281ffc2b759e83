"""A build: intake, standardise, place, link, fuse, check, publish."""
