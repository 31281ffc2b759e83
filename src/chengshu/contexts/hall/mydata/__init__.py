"""My data: what is held about me, who read it, what I allowed; and forms filled from it with where each value comes from."""
