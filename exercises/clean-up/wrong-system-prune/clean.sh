docker system prune --all --volumes --force
