"""The job of this lab on a Dask cluster: many files, each cleaned by the functions of cleaner/."""
