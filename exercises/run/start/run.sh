# NAME: what the container is called. PORT: the port of this machine that it answers on.
