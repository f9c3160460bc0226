#!/bin/bash
# Takes the database's password from a file, then becomes the registry. In memory, or with its default database, it
# would forget acknowledged schemas on a kill.
set -eu
if [ -n "${APICURIO_DATASOURCE_PASSWORD_FILE:-}" ]; then
  APICURIO_DATASOURCE_PASSWORD=$(<"$APICURIO_DATASOURCE_PASSWORD_FILE")
  export APICURIO_DATASOURCE_PASSWORD
fi
# shellcheck disable=SC2086  # HEAP holds several options
exec java @/opt/bank/config/jvm.options $HEAP -XX:TieredStopAtLevel=1 \
  -Dquarkus.http.host=0.0.0.0 -Dquarkus.http.port="$PORT" \
  -Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port=0 -Dquarkus.log.level=WARN \
  -Dapicurio.storage.kind=sql -Dapicurio.storage.sql.kind=postgresql \
  -jar /opt/bank/registry/quarkus-run.jar
