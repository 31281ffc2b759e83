"""Cases, tasks, terms, evidence and the outbox: persistence only."""
