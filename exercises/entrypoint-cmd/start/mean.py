"""Print the mean of columns of flowers.csv."""

import argparse
import csv
import statistics

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("columns", nargs="+", help="for example petal_width")
parser.add_argument("--title", help="a line to print first")
arguments = parser.parse_args()

with open("flowers.csv", newline="") as file:
    rows = list(csv.DictReader(file))

if arguments.title:
    print(arguments.title)
for column in arguments.columns:
    print(f"{column} {statistics.mean(float(row[column]) for row in rows):.2f}")
