"""Choose one value for each element of a subject and keep the ones that lost."""
