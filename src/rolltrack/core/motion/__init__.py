"""ImuSamples -> Motion.

Found first: `rest` (is it turning at all?), `axle` (about what?), `phase` (how far has gravity gone
round?).

Two estimates share these and one formulation: `normal` is the whole model for an angle that is a
`spline`, with `noise` read off the readings, the lever arm told by `lever`, a linear start from
`steady`, and `bordered` doing the algebra. `final` is the best there is: `batch` solves for a
whole span; `smoother` feeds it. `live` says what both kinds of live estimate have in common; for a
roller, `live_roller` reads a `window` that slides, with a `prior` for what has left it: `batch`
kept up to date. With a gyroscope alone, `gyroscope` is both. `shapes` says which estimators a
roller and a ball have. `validity` and `carried` say where no answer is better than a wrong one;
`naive` and `no_slip` are the obvious reading and the closed-form inverse, kept to be beaten.
"""
