"""Messages and public notices: the only module that others may import."""
