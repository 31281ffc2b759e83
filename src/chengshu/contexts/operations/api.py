"""The operations centre: front pages by role and reports of errors; nothing above it needs anything yet."""
