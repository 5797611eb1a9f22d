trap 'kill $worker' TERM
python worker.py &
worker=$!
wait
wait
echo "the worker has ended"
