#!/bin/bash
# Fills in the configuration, formats an empty data folder once, then becomes the broker.
set -eu
data=/var/lib/kafka
config=$data/server.properties
java=(java @/opt/bank/config/jvm.options -Dlog4j2.configurationFile=/opt/bank/config/log4j2.properties)
class_path='/opt/bank/lib/*'
sed -e "s|@LISTENERS@|$KAFKA_LISTENERS|" -e "s|@ADVERTISED@|$KAFKA_ADVERTISED_LISTENERS|" \
  -e "s|@CONTROLLER_PORT@|$KAFKA_CONTROLLER_PORT|" -e "s|@DATA@|$data/logs|" \
  /opt/bank/config/server.properties >"$config"
if [ ! -e "$data/logs/meta.properties" ]; then
  # 16 random bytes as Kafka writes them; the first letter is fixed, so that none looks like an option.
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
  "${java[@]}" -XX:TieredStopAtLevel=1 -cp "$class_path" kafka.tools.StorageTool format -t "B${id:1}" -c "$config"
fi
# shellcheck disable=SC2086  # HEAP holds several options
exec "${java[@]}" $HEAP -cp "$class_path" kafka.Kafka "$config"
