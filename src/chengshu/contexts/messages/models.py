"""Messages and public notices: persistence only."""
