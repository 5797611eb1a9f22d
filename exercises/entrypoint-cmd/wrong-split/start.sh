exec python mean.py $*
