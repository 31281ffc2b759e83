"""A simulated year: seeded actors work all packs under an injected clock; every night everything is checked."""
