"""Pure case engine: pack model and checker, expressions, advance(), and the protocols of the two seams."""
