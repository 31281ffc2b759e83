"""Signatures of persons and firms whose certificates come from recognised authorities: Guangdong, Hong Kong, Macao."""
