"""Start JupyterLab of lab 2 and of the naive image, in turn: seconds to the first answer, memory.

    python benchmarks/ds_lab.py

Needs Docker. Each runs alone in a container with one cpu and 512 MB. The median of the rounds stands in the table, all
of them are in results/ds-lab.json.
"""

from __future__ import annotations

import argparse
from functools import partial

from containers import HERE, ROOT, build, in_turn, medians, served, write

# BIND: the lab's server then answers at the container's own address too.
ENVIRONMENT = ("--env", "JUPYTER_TOKEN=a-token-for-this-benchmark", "--env", "BIND=0.0.0.0")


def measure(image: str) -> dict[str, float]:
    with served(image, 8888, "/api", *ENVIRONMENT) as lab:
        return {"ready_s": lab.ready_s, "peak_mib": lab.peak_mib()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    images = {
        "naive": build("bench-naive-ds-lab", HERE / "naive" / "ds-lab"),
        "ours": build("bench-ds-lab", ROOT / "ds-lab"),
    }
    runs = in_turn(chosen.rounds, {name: partial(measure, image) for name, image in images.items()})
    table = medians(runs)
    for name, row in table.items():
        print(f"{name:<8}{row['ready_s']:>8.2f} s to ready{row['peak_mib']:>8.0f} MiB")
    write("ds-lab", {**table, "rounds": runs})


if __name__ == "__main__":
    main()
