#!/bin/sh
# Compiles the transforms of Kafka Connect into FOLDER, which then belongs on Connect's class path. ecj needs a JRE
# only; --release would need a JDK's list of older classes. The classes run on Java 21, the older of the supported ones.
# usage: [JAVA=java] compile.sh LIBRARIES ECJ FOLDER     beside the sources
set -eu
here=$(cd "$(dirname "$0")" && pwd)
class_path=
for library in connect-api connect-transforms kafka-clients slf4j-api; do
  for jar in "$1/$library"-*.jar; do class_path="$class_path${class_path:+:}$jar"; done
done
mkdir -p "$3"
"${JAVA:-java}" -jar "$2" -source 21 -target 21 -proc:none -encoding UTF-8 -failOnWarning -cp "$class_path" -d "$3" \
  "$here/bank/connect"
cp -R "$here/META-INF" "$3/"
