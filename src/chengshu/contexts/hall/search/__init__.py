"""One search over items, one-things, policies and what is one's own; the same engine for pages, API and command line."""
