"""Merkle log of every act: the only module that other contexts, interfaces and the site may import."""
