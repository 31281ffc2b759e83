"""Applying in the hall: one question a page, what is known filled in, answers checked, decided at once where the rules can."""
