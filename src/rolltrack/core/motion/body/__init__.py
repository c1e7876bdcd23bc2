"""A phone worn on the body that lies on the roller: it does not turn, it moves to and fro.

The body lies on the roller's top, which moves at twice the speed of its middle; the speed along the
tissue is half of the body's. `attitude` takes gravity off the readings, `track` finds the movement
that explains the rest best, `passes` tells which parts of it can be believed, and how far.
"""
