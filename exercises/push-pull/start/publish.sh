# REGISTRY: a registry's address, such as localhost:15000. VERSION: what this is called there, such as 1.0.0.
