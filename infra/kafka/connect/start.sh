#!/bin/bash
# Fills in the configuration, takes the connector's secrets from files, then becomes the worker.
set -eu
config=/tmp/connect.properties
mkdir -p /tmp/plugins
sed -e "s|@BOOTSTRAP@|$CONNECT_BOOTSTRAP_SERVERS|" -e "s|@LISTEN@|0.0.0.0|" -e "s|@HOST@|$CONNECT_ADVERTISED_HOST|" \
  -e "s|@PORT@|$PORT|" -e "s|@PLUGINS@|/tmp/plugins|" /opt/bank/config/connect.properties >"$config"
if [ -n "${BANK_CONNECT_POSTGRES_PASSWORD_FILE:-}" ]; then
  BANK_CONNECT_POSTGRES_PASSWORD=$(<"$BANK_CONNECT_POSTGRES_PASSWORD_FILE")
  export BANK_CONNECT_POSTGRES_PASSWORD
fi
if [ -n "${BANK_CONNECT_UNAVAILABLE_PLACEHOLDER_FILE:-}" ]; then
  BANK_CONNECT_UNAVAILABLE_PLACEHOLDER=$(<"$BANK_CONNECT_UNAVAILABLE_PLACEHOLDER_FILE")
  export BANK_CONNECT_UNAVAILABLE_PLACEHOLDER
fi
# shellcheck disable=SC2086  # HEAP holds several options
exec java @/opt/bank/config/jvm.options -Dlog4j2.configurationFile=/opt/bank/config/log4j2.properties $HEAP \
  -cp '/opt/bank/lib/*:/opt/bank/smt' org.apache.kafka.connect.cli.ConnectDistributed "$config"
