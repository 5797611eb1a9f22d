echo "the worker starts"
# exec: the worker takes the shell's place, and with it process number 1.
exec python worker.py
