"""Prints every row of iris as the body of a request."""

import json

import train

rows = train.load_iris().data.tolist()
print(json.dumps([dict(zip(train.FEATURES, row, strict=True)) for row in rows]))
