"""Service items: the national element set, guides that departments publish, the list and the guide pages."""
