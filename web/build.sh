#!/usr/bin/env bash
# Builds the player: the wasm module, the component around it, its types. What comes out, web/dist, is checked in, so
# that nobody needs Node or a wasm toolchain to build topomotion. Run this after a change to crates/scene, crates/viewer
# or web/src.
#
#     bash web/build.sh
#
# Needs Node with npm, and Rust with the target wasm32-unknown-unknown (`rustup target add wasm32-unknown-unknown`), or,
# where that cannot be fetched, Debian's rustc-web and rust-web-src, from which the standard library is built.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD/..
export CARGO_TARGET_DIR=${WASM_TARGET_DIR:-$root/target/web}

module() { # cargo, and what it needs before and after `rustc`
  (cd "$root" && "$@" --locked -p topomotion-viewer --lib --crate-type cdylib --no-default-features \
    --target wasm32-unknown-unknown --profile wasm)
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
# Only what every browser of the last years has.
node_modules/.bin/wasm-opt -Oz --strip-debug --strip-producers --enable-bulk-memory --enable-bulk-memory-opt \
  --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals --enable-reference-types \
  --enable-multivalue --enable-call-indirect-overlong \
  "$CARGO_TARGET_DIR/wasm32-unknown-unknown/wasm/topomotion_viewer.wasm" -o src/viewer.wasm

node_modules/.bin/tsc --noEmit
rm -rf dist
node_modules/.bin/esbuild src/index.ts --bundle --minify --format=esm --target=es2022 --charset=utf8 \
  --loader:.wasm=binary --legal-comments=none --outfile=dist/topomotion-viewer.js
node_modules/.bin/tsc --emitDeclarationOnly
rm -f src/viewer.wasm
node digest.mjs > dist/built-from.txt
gzip -9 -c dist/topomotion-viewer.js | wc -c | sed 's/$/ bytes gzip/'
