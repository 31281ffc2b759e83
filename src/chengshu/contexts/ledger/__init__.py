"""Merkle log of every act."""
