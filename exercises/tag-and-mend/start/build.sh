# IMAGE: the name that the image gets. Its tag is the version, 1.0.0.
