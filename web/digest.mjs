// Which sources the player in dist was built from, and which file that gave: FNV-1a, 64 bits, of names and contents.
// crates/viewer/tests/built.rs computes the same and compares.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const files = ['web/build.sh', 'web/digest.mjs', 'web/package.json', 'web/tsconfig.json'];
for (const folder of ['crates/scene', 'crates/studio', 'crates/viewer', 'web/playground', 'web/src']) {
  for (const name of readdirSync(join(root, folder), { recursive: true })) {
    if (/\.(rs|toml|ts|html|css|mjs)$/.test(name) && !/(^|\/)(tests|examples|target)\//.test(name)) files.push(`${folder}/${name}`);
  }
}

function fnv(names) {
  let hash = 0xcbf29ce484222325n;
  for (const name of names) {
    for (const byte of [...Buffer.from(name), 0, ...readFileSync(join(root, name)), 0]) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
  }
  return hash.toString(16).padStart(16, '0');
}

console.log(`sources ${fnv(files.sort())}`);
const built = ['topomotion-viewer.js', 'topomotion-live.wasm.gz', ...['playground.js', 'playground.css', 'index.html', 'worker.js', 'studio.wasm.gz'].map((name) => `playground/${name}`)];
for (const file of built) console.log(`${file} ${fnv([`web/dist/${file}`])}`);
