"""Motion -> Stroke."""
