# Stand-in for nginx:1.30: uid 101, sites in /etc/nginx/conf.d, logs on stdout and stderr.
# What differs from nginx/docker-nginx, stable/debian/Dockerfile:
#
#               official                                        here
#   version     the newest 1.30                                 Debian 13's 1.26.3, with its security fixes
#   entrypoint  /docker-entrypoint.d: templates, IPv6, workers  none
#   modules     xslt, geoip, image filter, njs                  none
#   IPv6        listened on                                     not
FROM standin/debian:trixie-slim

RUN groupadd --system --gid 101 nginx \
    && useradd --system --gid 101 --uid 101 --no-create-home --home-dir /nonexistent --shell /bin/false nginx \
    && apt-get update \
    && apt-get install -y --no-install-recommends nginx-light \
    && rm -rf /etc/nginx/sites-* /etc/nginx/modules-* /etc/nginx/conf.d/* /var/lib/apt/lists/* \
        /var/cache/apt/* /var/log/* \
    && install -d /var/cache/nginx /var/log/nginx /usr/share/nginx/html \
    && mv /var/www/html/index.nginx-debian.html /usr/share/nginx/html/index.html \
    && ln -s /dev/stdout /var/log/nginx/access.log \
    && ln -s /dev/stderr /var/log/nginx/error.log

COPY <<'EOS' /etc/nginx/nginx.conf
user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
EOS

COPY <<'EOS' /etc/nginx/conf.d/default.conf
server {
    listen 80;
    root /usr/share/nginx/html;
}
EOS

EXPOSE 80

STOPSIGNAL SIGQUIT

CMD ["nginx", "-g", "daemon off;"]
