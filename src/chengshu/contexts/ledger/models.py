"""Merkle log of every act: persistence only."""
