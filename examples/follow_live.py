"""What does the tracker say while readings come in, a packet at a time?

python examples/follow_live.py
"""

from rolltrack import Setup, Tracker, load_protocol, sample_trace
from rolltrack.core.events import Alert, SessionEnded, SessionStarted, StrokeEnded
from rolltrack.traces.reader import read_trace

trace = read_trace(sample_trace("back"))
setup = Setup(
    roller="my-roller", athlete="me", protocol=load_protocol("slow-release"), radius_m=0.075
)
tracker = Tracker(setup)
events = []
for start in range(0, len(trace.samples), 10):
    events += tracker.feed(trace.samples[start : start + 10])
events += tracker.finish()

for event in events:
    match event:
        case SessionStarted():
            print(f"{event.t_s:6.2f} s  session started")
        case Alert(kind="too_fast"):
            print(f"{event.t_s:6.2f} s  too fast: {event.phase}")
        case StrokeEnded(judged=judged):
            print(f"{judged.stroke.end_s:6.2f} s  stroke {judged.stroke.n} ended")
        case SessionEnded():
            print(f"{event.t_s:6.2f} s  session ended: {event.summary.strokes} strokes")
