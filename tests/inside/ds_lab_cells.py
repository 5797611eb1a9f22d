"""Run each argument as a cell of one notebook, in one kernel, and print what the cells printed."""

import sys

import nbclient
import nbformat

cells = [nbformat.v4.new_code_cell(source) for source in sys.argv[1:]]
notebook = nbformat.v4.new_notebook(cells=cells)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
print("".join(output.get("text", "") for cell in cells for output in cell.outputs))
