# Without arguments, those of the default. "$@" is every argument, each in one piece.
[ "$#" -gt 0 ] || set -- sepal_length
exec python mean.py "$@"
