"""What the web page costs the program: CPU time without a listener, with one, and with somebody who looks, in turn.

    python3 tests/clients/page_cost.py target/release/kinesis-streamer

In percent of one core, by the operating system's accounting, after four seconds of warming up. Load goes to the embedded
stream of the same process, which is counted as well: compare the columns of a line, and the lines with each other.
"""

import os
import subprocess
import sys
import threading
import time
import urllib.request

ADDRESS = "127.0.0.1:19470"
SMALL = ["--local=1", "--jobs=10", "--messages=10"]
LARGE = ["--local=1000", "--jobs=200", "--messages=500", "--pacing=smooth", "--confirm-rate=1000000"]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(seen, over):
    with urllib.request.urlopen(f"http://{ADDRESS}/events", timeout=20) as events:
        while not over.is_set():
            part = events.read1(65_536)
            if not part:
                return
            seen[0] += len(part)


def measure(program, load, looks, seconds):
    environment = {"AWS_REGION": "us-east-1"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen([program, *load], env=environment, stdout=quiet, stderr=quiet, cwd="/proc") as run:
        time.sleep(4)
        seen, over = [0], threading.Event()
        if looks:
            threading.Thread(target=watch, args=(seen, over), daemon=True).start()
            time.sleep(2)
        used, begun, told = cpu_seconds(run.pid), time.monotonic(), seen[0]
        time.sleep(seconds)
        used, length = cpu_seconds(run.pid) - used, time.monotonic() - begun
        told = (seen[0] - told) / length
        over.set()
        run.terminate()
    if looks and told == 0:
        sys.exit("nobody looked: the program told nothing")
    return 100 * used / length, told / 1024


def main():
    program = os.path.abspath(sys.argv[1])
    for name, load, rounds, seconds in [("10 x 10", SMALL, 4, 10), ("100,000/s, 1,000 shards", LARGE, 3, 8)]:
        for _ in range(rounds):
            off, _ = measure(program, [*load, "--listen=off"], False, seconds)
            unseen, _ = measure(program, [*load, f"--listen={ADDRESS}"], False, seconds)
            seen, told = measure(program, [*load, f"--listen={ADDRESS}"], True, seconds)
            print(f"{name}: no listener {off:.1f} %, nobody looks {unseen:.1f} %, one looks {seen:.1f} %"
                  f" ({told:.1f} KiB/s)", flush=True)


if __name__ == "__main__":
    main()
