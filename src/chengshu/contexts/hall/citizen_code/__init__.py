"""The citizen code: a picture that says who someone is to enrolled devices, for a minute, and nothing to anyone else."""
