import subprocess
import sys

import pytest

READ = """
import resource, sys
from rolltrack.traces.reader import iter_trace
rows = sum(len(block) for block in iter_trace(sys.argv[1], 10_000))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def read_in_own_process(path):
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], check=True, capture_output=True, timeout=100
    )
    rows, kilobytes = map(int, done.stdout.split())
    return rows, kilobytes


@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
def test_ten_hours_need_no_more_memory_than_half_an_hour(tmp_path):
    memory = {}
    for hours in (0.5, 10):
        path = tmp_path / f"{hours}.csv"
        rows = int(hours * 3600 * 20)
        with path.open("w") as out:
            out.write("t_s,gx_radps,gy_radps,gz_radps\n")
            out.writelines(f"{k / 20},0.1,0.2,{k % 7}\n" for k in range(rows))
        read, memory[hours] = read_in_own_process(path)
        assert read == rows
    # All the readings at once would be 23 MB, their text as Python strings three times that.
    assert memory[10] - memory[0.5] < 8_000
