"""Bytes -> ImuSamples; pure."""
