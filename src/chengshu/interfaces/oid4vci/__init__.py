"""OpenID for Verifiable Credential Issuance 1.0: certificates into the holder's own wallet."""
