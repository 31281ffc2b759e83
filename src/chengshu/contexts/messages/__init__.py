"""Messages to people and public notices."""
