"""Pure foundations: workdays and terms, citations, codes, canonical JSON, Merkle tree, errors."""
