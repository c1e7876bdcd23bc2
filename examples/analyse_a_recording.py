"""Which strokes of a recording were too fast, and why?

python examples/analyse_a_recording.py [TRACE]
"""

import sys

from rolltrack import analyse_trace, load_protocol, sample_trace

path = sys.argv[1] if len(sys.argv) > 1 else sample_trace("calf")
analysis = analyse_trace(path, protocol=load_protocol("slow-release"))
for judged in analysis.strokes:
    if judged.too_fast:
        print(f"stroke {judged.stroke.n}: {' '.join(judged.reasons)}")
print(f"{analysis.summary.too_fast_strokes} of {analysis.summary.strokes} strokes were too fast")
