"""One sensor's wire format, one file."""
