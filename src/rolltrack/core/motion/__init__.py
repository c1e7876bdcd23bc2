"""ImuSamples -> Motion."""
