"""The protocols the world speaks."""
