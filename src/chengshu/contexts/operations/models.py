"""The operations centre: home pages, map, staff: persistence only."""
