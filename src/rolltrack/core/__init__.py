"""The pure core: data in, events out; no I/O, no clock, no log, no chance."""
