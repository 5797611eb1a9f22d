"""The same work as most tutorials do it: read all, clean all, write all."""

import pandas as pd

df = pd.read_csv("data/raw.csv")
df = df.dropna(subset=["income"])
df["income"] = df["income"].clip(0, 200_000)
df["age_bucket"] = pd.cut(
    df["age"], bins=[17, 30, 45, 60, 80], labels=["18-30", "31-45", "46-60", "61+"]
)
df.to_csv("data/clean.csv", index=False)
