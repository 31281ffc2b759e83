"""Settings, urls, wiring of the seams, base templates, static files and the command line."""
