trap 'exit 75' TERM
python worker.py &
wait
