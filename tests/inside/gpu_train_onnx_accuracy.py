"""Print how many of the digits outputs/model.onnx knows, asked in batches of three sizes."""

import numpy as np
import onnxruntime

digits = np.load("digits.npz")
session = onnxruntime.InferenceSession("outputs/model.onnx")
images = digits["x"][:, None].astype("float32")
for count in (1, 7, len(images)):
    (logits,) = session.run(None, {"images": images[:count]})
    assert logits.shape == (count, 10)
print((logits.argmax(1) == digits["y"]).mean())
