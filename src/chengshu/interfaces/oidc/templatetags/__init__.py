"""Template tags of OpenID Connect."""
