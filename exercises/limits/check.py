"""Limits that hold, and a program that sizes itself by them."""

import re

from learn.bench import Bench

TITLE = "A job that keeps to its limits, and knows them"
MINUTES = 15
HINTS = (
    "docs/commands.md, section Limits, has both as options of docker run. In compose.yaml they are keys of the service, and a value may be a ${VARIABLE}.",
    "What Python asks the system for is the machine. Either tell the program its part (environment:), or let it look where the kernel keeps the limits: /sys/fs/cgroup.",
    "The keys are mem_limit and cpus. In /sys/fs/cgroup, cpu.max has two numbers, so much time in so long a period, and memory.max has bytes; where these files are not, the kernel is an older one, and telling is simpler.",
)
MUST_SAY = {
    "start": "no memory limit",
    "wrong-limits-only": "killed",
    "wrong-program-only": "no memory limit",
    "wrong-affinity": "workers 2",
    "wrong-fixed": "workers 1",
    "wrong-small-cache": "cache 32 MiB",
}
read = "docs/commands.md#limits"


def check(bench: Bench) -> None:
    processors = int(bench.docker("info", "--format", "{{.NCPU}}").out)
    for cpus, memory in ((1, 64), (min(processors, 2), 256)):
        check_part(bench, cpus, memory, f"CPUS={cpus} MEMORY={memory}")


def check_part(bench: Bench, cpus: int, memory: int, part: str) -> None:
    env = {"CPUS": f"{cpus}", "MEMORY": f"{memory}"}
    # Made and looked at before it runs: without a limit it takes what it likes.
    made = bench.compose("create", "--force-recreate", env=env)
    job = bench.service("job")
    host = bench.inspect(job).get("HostConfig", {})
    mib = host.get("Memory", 0) // 2**20
    allowed = host.get("NanoCpus", 0) / 1e9 or host.get("CpuQuota", 0) / (
        host.get("CpuPeriod") or 1e5
    )
    limits = f"{mib} MiB" if mib else "no memory limit"
    limits += f", {allowed:g} processors" if allowed else ", no limit of processors"
    bench.expect(
        (mib, allowed) == (memory, cpus), f"{part}: the container is held to that",
        did=f"{part} docker compose create; docker inspect",
        seen=limits if host else made.seen, expected=f"{memory} MiB, {cpus} processors",
        why="without a limit, one container may take the whole machine, and the others' part of it", read=read,
    )  # fmt: skip
    bench.docker("start", job)
    bench.wait(lambda: not bench.running(job), 60)
    printed, code = bench.logs(job), bench.inspect(job)["State"]["ExitCode"]
    found = re.search(r"workers (\d+), cache (\d+) MiB", printed)
    workers, cache = map(int, found.groups()) if found else (0, 0)
    why = "what a program asks the system for is the machine: a limit of processors is one of time, and hides none of them"
    if code == 137:
        why = "who wants more memory than the limit is killed, and is not asked"
    elif workers == cpus:
        why = "a number that was right for one machine is wrong on the next"
    bench.expect(
        code == 0 and workers == cpus and memory / 4 <= cache <= memory * 3 / 4, f"{part}: the job ends well, and uses its part",
        did=f"{part} docker compose run job", seen=(found.group() if found else printed.splitlines()[-1]) + f"\nexit code {code}" + (": killed" if code == 137 else ""),
        expected=f"workers {cpus}, cache {memory // 4} to {memory * 3 // 4} MiB, exit code 0", why=why, read=read,
    )  # fmt: skip
