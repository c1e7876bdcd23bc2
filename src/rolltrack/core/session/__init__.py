"""Strokes and motion -> session summary."""
