#!/bin/bash
# usage: health [PATH]    Exit code 0 when $PORT takes connections and, with a path, answers 200 there.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/$PORT"
[ $# -gt 0 ] || exit 0
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
read -r _ status _ <&3
[ "$status" = 200 ]
