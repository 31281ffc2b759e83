"""OpenID Connect, both ways: other systems sign people in through Chengshu, and people come in from outside providers."""
