"""Lab 1 with one more rule, on rows that are shuffled anew at every check."""

import csv
import random

from learn.bench import Bench

TITLE = "One more rule for the batch job"
MINUTES = 15
LAB = "batch-job"
HINTS = (
    "No file but rules.py has to change. Which of its dictionaries holds the reasons?",
    "A rule is true for the rows to reject. The last rule of BROKEN joins two conditions, each in parentheses: yours has two as well.",
    "The first rule that a row breaks is its reason: where does yours go, so that the others keep theirs? And is 65 over 65?",
)
MUST_SAY = {
    "start": "age 66, income 52000, churn 1: in clean.csv",
    "wrong-or": "age 66, income 52000, churn 0: rejected",
    "wrong-sixty-five": "age 65, income 52000, churn 1: rejected",
    "wrong-first": "income missing, churn 1: rejected",
    "wrong-old-reason": "rejected, churn is not 0 or 1",
}
# Age, income, churn: of rows that the new rule rejects, that it keeps, and that an older rule rejects.
new_rows = [("66", "52000", "1"), ("80", "31000", "1")]
fine = [("66", "52000", "0"), ("65", "52000", "1"), ("40", "9000", "1"), ("18", "31000", "0")]
old = {
    ("70", "", "1"): "rejected, income is missing",
    ("71", "9000", "2"): "rejected, churn is not 0 or 1",
    ("90", "52000", "1"): "rejected, age is out of range 18-80",
}


def check(bench: Bench) -> None:
    image = bench.build(why="docker names the failed step", read="docs/commands.md#images")
    kinds = [*new_rows, *fine, *old]
    rows = [*kinds, *random.choices(kinds, k=50)]
    data = bench.folder / "data"
    data.chmod(0o777)  # the container's user may be another than the learner
    lines = [f"{number},{','.join(row)}\n" for number, row in enumerate(rows)]
    for earlier in data.glob("*.csv"):
        earlier.unlink()
    (data / "raw.csv").write_text("id,age,income,churn\n" + "".join(lines), encoding="utf-8")
    job = bench.run(image, options=("--volume", f"{data}:/app/data"))
    bench.expect(
        job.code == 0 and len(list(data.glob("*.csv"))) == 3, f"The job cleans {len(rows)} rows that the check made up",
        did="docker run --rm -v .../data:/app/data your-image", seen=job.seen.splitlines()[-1], expected="exit code 0, clean.csv and rejects.csv",
        why="a rule is worked out for a whole column at a time; one that cannot be ends the job", read="batch-job/README.md#how-it-works",
    )  # fmt: skip
    fate = {row["id"]: "in clean.csv" for row in csv.DictReader((data / "clean.csv").open())}
    for row in csv.DictReader((data / "rejects.csv").open()):
        fate[row["id"]] = f"rejected, {row['reason']}"
    fates = [(row, fate.get(str(number), "in neither file")) for number, row in enumerate(rows)]
    for step, wrong, expected, why in (
        ("Over 65 and churned: rejected, with a reason of its own",
         [one for one in fates if one[0] in new_rows and one[1] in ("in clean.csv", "in neither file", *old.values())],
         "in rejects.csv, with a reason that no older rule gives", "whoever reads rejects.csv has only the reason to go by"),
        ("All others are as clean as before", [one for one in fates if one[0] in fine and one[1] != "in clean.csv"],
         "in clean.csv: both conditions have to hold, and 65 is not over 65", "a rule that takes too much loses data, and no error says so"),
        ("What was rejected before keeps its reason", [one for one in fates if one[0] in old and one[1] != old[one[0]]],
         "rejected, for the reason that it had before", "of the rules that a row breaks, the first in rules.py gives the reason"),
    ):  # fmt: skip
        seen = [f"age {age}, income {income or 'missing'}, churn {churn}: {what}" for (age, income, churn), what in wrong]  # fmt: skip
        bench.expect(
            not wrong, step, did="looked for each row in data/clean.csv and data/rejects.csv",
            seen="".join(seen[:1]), expected=expected, why=why, read="batch-job/README.md#the-rules",
        )  # fmt: skip
