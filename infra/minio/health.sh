#!/bin/bash
# Exit code 0 when the store takes requests. It answers HTTP/1.0, or a request without a host, with 400.
set -eu
port=${MINIO_ADDRESS##*:}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /minio/health/ready HTTP/1.1\r\nHost: minio\r\nConnection: close\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
