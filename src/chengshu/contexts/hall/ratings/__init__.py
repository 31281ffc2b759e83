"""Ratings of services: five grades by channel, once a service; statistics over every service that ended."""
