"""ImuSamples -> Motion.

Found first: `rest` (is it turning at all?), `axle` (about what?), `phase` (how far has gravity gone
round?).

Two estimates share these. `linear` is quick and cannot diverge: `radial` learns bias and lever arm,
`no_slip` undoes the roller's own acceleration, `steady` adds a prior on the motion; `live` reads it
a fixed time behind the newest reading. `final` is the best there is: `batch` solves the whole model
of `normal` for an angle that is a `spline`, with `noise` read off the readings and `bordered` doing
the algebra; `smoother` feeds it in spans. With a gyroscope alone, `gyroscope` is both. `validity`
says where no answer is better than a wrong one, and `naive` is the obvious reading, kept to be
beaten.
"""
