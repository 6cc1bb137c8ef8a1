// All of it at once, for a film: topics are made, two members share three partitions, a payment goes through its
// states, receipts are printed in transactions.

import { spawn } from 'node:child_process';

const run = (program, ...words) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [new URL(program, import.meta.url).pathname, ...words], { stdio: 'inherit' });
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
  });

await run('admin.mjs');
const readers = [run('consumer.mjs', '4'), run('transaction.mjs', '4')];
await run('producer.mjs');
await Promise.all(readers);
await run('lag.mjs', 'mailers', '1');
