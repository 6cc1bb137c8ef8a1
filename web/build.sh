#!/usr/bin/env bash
# Builds the player: the wasm module, the component around it, its types; the engine that it loads when a run is
# taken over; and the playground with its studio, which compiles and draws scripts. web/dist as a whole is a site: any server of
# files shows the playground at playground/. What comes out, web/dist, is checked in, so that nobody needs Node or a wasm toolchain to build topomotion.
# Run this after a change to crates/scene, crates/viewer, web/src or web/playground, and after one to the engine that makes runs go
# otherwise: an engine refuses to go on with a run that it would have played differently. (`player` alone leaves the
# engine and the studio as they are.)
#
#     bash web/build.sh [player]
#
# Needs Node with npm, clang (the studio holds the script engine, which is C), and Rust with the target wasm32-unknown-unknown (`rustup target add wasm32-unknown-unknown`), or,
# where that cannot be fetched, Debian's rustc-web and rust-web-src, from which the standard library is built.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD/..
what=${1:-}
export CARGO_TARGET_DIR=${WASM_TARGET_DIR:-$root/target/web}

module() { # cargo, and what it needs before and after `rustc`
  (cd "$root"
  modules=$([ "${what:-}" = player ] && echo viewer || echo viewer live studio)
  for one in $modules; do
    features=$([ "$one" = live ] || echo --no-default-features)
    # The studio's parser and its script engine nest deeper than the usual 1 MB holds.
    stack=$([ "$one" = studio ] && echo "-- -C link-arg=-zstack-size=8388608" || true)
    "$@" --locked -p "topomotion-$one" --lib --crate-type cdylib $features --target wasm32-unknown-unknown --profile wasm $stack
  done)
}

if [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
  module cargo rustc
elif [ -x /usr/bin/rustc ] && [ -d /usr/lib/rustlib/src ]; then
  linker=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-lld
  RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-Zunstable-options -Cpanic=immediate-abort" \
    module cargo rustc -Zbuild-std=std,panic_abort
else
  echo "no wasm toolchain: rustup target add wasm32-unknown-unknown, or apt-get install rustc-web rust-web-src" >&2
  exit 1
fi

npm install --silent --no-audit --no-fund
shrink() { # module, and where to: only what every browser of the last years has
  node_modules/.bin/wasm-opt -Oz --strip-debug --strip-producers --enable-bulk-memory --enable-bulk-memory-opt \
    --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals --enable-reference-types \
    --enable-multivalue --enable-call-indirect-overlong \
    "$CARGO_TARGET_DIR/wasm32-unknown-unknown/wasm/topomotion_$1.wasm" -o "$2"
}
shrink viewer src/viewer.wasm
engine=topomotion-live.wasm.gz
studio=studio.wasm.gz
if [ "$what" = player ]; then
  cp "dist/$engine" "dist/playground/$studio" "$CARGO_TARGET_DIR/"
else
  for one in live studio; do
    shrink "$one" "$CARGO_TARGET_DIR/$one.wasm"
  done
  gzip -9 -n -c "$CARGO_TARGET_DIR/live.wasm" > "$CARGO_TARGET_DIR/$engine"
  gzip -9 -n -c "$CARGO_TARGET_DIR/studio.wasm" > "$CARGO_TARGET_DIR/$studio"
fi

node_modules/.bin/tsc --noEmit
rm -rf dist
node_modules/.bin/esbuild src/index.ts --bundle --minify --format=esm --target=es2022 --charset=utf8 \
  --loader:.wasm=binary --legal-comments=none --outfile=dist/topomotion-viewer.js
node_modules/.bin/tsc --emitDeclarationOnly
rm -f src/viewer.wasm
# The playground: a page of its own, which alone loads the editor.
node_modules/.bin/tsc -p playground
node_modules/.bin/esbuild playground/main.ts --bundle --minify --format=esm --target=es2022 --charset=utf8 \
  --legal-comments=none --outfile=dist/playground/playground.js
node_modules/.bin/esbuild playground/worker.ts --bundle --minify --format=iife --target=es2022 --charset=utf8 \
  --legal-comments=none --outfile=dist/playground/worker.js
cp playground/index.html playground/playground.css ../crates/script/types/topomotion.d.ts dist/playground/
node playground/examples.mjs > dist/playground/examples.json
(echo "The editor in playground.js is CodeMirror (codemirror, @codemirror/*, @lezer/*, style-mod, crelt, w3c-keyname,"
  echo "@marijn/find-cluster-break), under these licences:"
  for licence in node_modules/{@codemirror,@lezer,@marijn}/*/LICENSE node_modules/{codemirror,crelt,style-mod,w3c-keyname}/LICENSE; do
    md5sum "$licence"
  done | sort | awk '!seen[$1]++ { print $2 }' | while read -r licence; do echo; cat "$licence"; done) > dist/playground/licences.txt
cp "$CARGO_TARGET_DIR/$engine" dist/
cp "$CARGO_TARGET_DIR/$studio" dist/playground/
node digest.mjs > dist/built-from.txt
echo "player: $(gzip -9 -c dist/topomotion-viewer.js | wc -c) bytes gzip; playground: $(gzip -9 -c dist/playground/playground.js | wc -c); engine: $(wc -c < "dist/$engine"); studio: $(wc -c < "dist/playground/$studio") bytes gzip"
