"""Measure how fast a foam roller moves along the tissue, and say when it is too fast for the rolling protocol."""
