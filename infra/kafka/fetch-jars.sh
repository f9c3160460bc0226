#!/bin/sh
# Puts every Java artefact of jars.lock below FOLDER: lib/*.jar, registry/ and tools/ecj.jar. Maven resolves pom.xml; what it brings
# must be exactly what the lock names, hash by hash, or native runs and images would differ.
# usage: fetch-jars.sh FOLDER     beside pom.xml and jars.lock
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
maven() { mvn -q -B -ntp -f "$here/pom.xml" "$@" -DoutputDirectory="$out/lib"; }
mkdir -p "$out/lib"
registry=$(sed -n 's/^\(io.apicurio:apicurio-registry-app:[^ ]*\):all:tar.gz .*/\1:tar.gz:all/p' "$here/jars.lock")
maven dependency:copy-dependencies -DincludeScope=runtime
maven dependency:copy -Dartifact="$registry"
# group:artifact:version[:classifier]:packaging sha256  ->  sha256  artifact-version[-classifier].packaging
awk '!/^#/ && NF == 2 {
  n = split($1, part, ":"); file = part[2] "-" part[3]
  if (n == 5) file = file "-" part[4]
  print $2 "  " file "." part[n]
}' "$here/jars.lock" | sort -k2 >"$out/sums"
cd "$out/lib"
sha256sum --check --strict --quiet "$out/sums"
found=$(find . -type f | wc -l) locked=$(wc -l <"$out/sums")
[ "$found" -eq "$locked" ] || { echo "pom.xml brings $found files, jars.lock names $locked: run \`bank jars lock\`" >&2; exit 1; }
mkdir "$out/registry.new"
tar -xzf apicurio-registry-app-*.tar.gz -C "$out/registry.new"
rm apicurio-registry-app-*.tar.gz
mv "$(dirname "$(find "$out/registry.new" -name quarkus-run.jar)")" "$out/registry"
rm -rf "$out/registry.new" "$out/sums"
mkdir "$out/tools"
mv ecj-*.jar "$out/tools/ecj.jar"
