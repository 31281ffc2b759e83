"""The window: a clerk checks who stands there, states the ground, serves with the same forms, ends."""
