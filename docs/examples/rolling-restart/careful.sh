#!/bin/sh
# Replaces one backend after the other: out of nginx first, and back when it is ready.
# careful.sh PID DIR (ENDPOINT BACKEND)…    of nginx, where its upstream.conf is
set -e
nginx=$1 conf=$2/upstream.conf
shift 2
n=0
while [ $# -gt 0 ]; do
  endpoint=$1 backend=$2
  shift 2
  n=$((n + 1))
  sed "s/server $endpoint /server $endpoint down /" "$conf" > "$conf.new" && mv "$conf.new" "$conf"
  kill -HUP "$nginx"
  ./app -listen "$backend" -wait idle # what was under way is done, and nothing more comes
  kill -TERM "$(cat "app-$n.pid")"
  ./app -listen "$backend" -wait gone
  ./app -listen "$backend" -pid "app-$n.pid" &
  ./app -listen "$backend" -wait ready
  sed "s/server $endpoint down /server $endpoint /" "$conf" > "$conf.new" && mv "$conf.new" "$conf"
  kill -HUP "$nginx"
done
