"""Cases, tasks, terms, evidence and the outbox."""
