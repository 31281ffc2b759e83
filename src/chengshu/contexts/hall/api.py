"""The service hall: what a resident sees of their own data: the only module that other contexts, interfaces and the site may import."""
