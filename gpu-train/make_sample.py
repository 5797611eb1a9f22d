"""Write digits.npz, scikit-learn's 1,797 handwritten digits of 8x8 pixels, in the form that DATA_PATH takes.

It runs while the image is built: the image then holds 40 kB of data instead of a 200 MB library.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
np.savez_compressed(
    Path(__file__).with_name("digits.npz"), x=digits.images.astype("uint8"), y=digits.target
)
