"""Work through ROWS rows, one every tenth of a second. On SIGTERM: end the row, say how far it came, exit with 75."""

import os
import signal
import sys
import time

rows = int(os.environ.get("ROWS", "5000"))
asked_to_stop = False


def on_sigterm(number: int, frame: object) -> None:
    global asked_to_stop
    asked_to_stop = True


signal.signal(signal.SIGTERM, on_sigterm)
done = 0
while done < rows and not asked_to_stop:
    time.sleep(0.1)
    done += 1
    print(f"row {done}", flush=True)
print(f"saved: {done} of {rows} rows", flush=True)
sys.exit(75 if done < rows else 0)
