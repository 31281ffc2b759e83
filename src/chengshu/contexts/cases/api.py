"""Cases, tasks, terms, evidence and the outbox: the only module that other contexts, interfaces and the site may import."""
