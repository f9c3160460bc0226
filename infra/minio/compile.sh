#!/bin/sh
# Compiles MinIO from its Go module into $GOBIN. Upstream publishes no binaries any more, and the module proxy refuses
# its release tags: the last commit is pinned as a pseudo-version.
# usage: compile.sh VERSION      e.g. v0.0.0-20260212201848-7aac2a2c5b7c; GO names another compiler than `go`
set -eu
version=$1
commit=${version##*-}
stamp=${version#*-}
stamp=${stamp%%-*}
part() { printf %s "$stamp" | cut -c"$1"; }
day=$(part 1-4)-$(part 5-6)-$(part 7-8)
module=github.com/minio/minio
flags="-s -w
  -X $module/cmd.Version=${day}T$(part 9-10):$(part 11-12):$(part 13-14)Z
  -X $module/cmd.ReleaseTag=RELEASE.${day}T$(part 9-10)-$(part 11-12)-$(part 13-14)Z.src
  -X $module/cmd.CommitID=$commit
  -X $module/cmd.ShortCommitID=$commit
  -X $module/cmd.CopyrightYear=$(part 1-4)"
CGO_ENABLED=0 GOTOOLCHAIN=local exec "${GO:-go}" install -v -trimpath -tags kqueue \
  -ldflags "$(printf %s "$flags" | tr -s '\n ' '  ')" "$module@$version"
