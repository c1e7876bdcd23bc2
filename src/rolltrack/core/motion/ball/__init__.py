"""A free ball: no axle stays fixed, and gravity's direction wanders over the whole sphere.

`model` says what the sensor should read, `solve` finds the motion that explains the readings best,
`estimator` turns that into a speed along the tissue.
"""
