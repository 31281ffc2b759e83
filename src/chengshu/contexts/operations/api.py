"""The operations centre: home pages, map, staff: the only module that other contexts, interfaces and the site may import."""
