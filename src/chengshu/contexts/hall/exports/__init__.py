"""Exports of lists: by job, masked, watermarked, on record for the persons concerned, for a day."""
