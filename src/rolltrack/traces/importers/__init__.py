"""Other programs' recordings -> traces; one format, one file."""
