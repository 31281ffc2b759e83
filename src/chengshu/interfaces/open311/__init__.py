"""Open311 GeoReport v2: other programs send requests to the hotline and follow them, without personal data in any list."""
