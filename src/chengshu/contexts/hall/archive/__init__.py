"""E-archives: a closed case becomes a sealed information package, kept for its term, found, used on record, handed over."""
