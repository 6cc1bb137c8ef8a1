// @platformatic/kafka 2.12 against the cluster at $BOOTSTRAP_SERVERS.

import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import {
  Admin, Consumer, MessagesStreamFallbackModes, MessagesStreamModes, Producer, stringDeserializers, stringSerializers,
} from '@platformatic/kafka';

// It is written for Node.js 22, and this is all that it misses in 20.
Promise.withResolvers ??= function withResolvers() {
  const all = {};
  all.promise = new this((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
};
const bootstrapBrokers = process.env.BOOTSTRAP_SERVERS.split(',');
const ok = (what) => console.log('ok', what);
const admin = new Admin({ clientId: 'admin', bootstrapBrokers });
const producer = new Producer({ clientId: 'writer', bootstrapBrokers, serializers: stringSerializers });
const numbers = (from, to) => Array.from({ length: to - from }, (_, n) => String(from + n));
const create = (topic, partitions = 1) => admin.createTopics({ topics: [topic], partitions, replicas: 3 });

async function read(topic, count, { groupId = `read-${topic}-${Math.random()}`, mode, fallbackMode, ...options } = {}) {
  const consumer = new Consumer({
    clientId: 'reader', groupId, bootstrapBrokers, deserializers: stringDeserializers, maxWaitTime: 100, ...options,
  });
  const stream = await consumer.consume({
    topics: [topic],
    mode: mode ?? MessagesStreamModes.COMMITTED,
    fallbackMode: fallbackMode ?? MessagesStreamFallbackModes.EARLIEST,
    autocommit: false,
  });
  const messages = [];
  for await (const message of stream) {
    messages.push(message);
    if (messages.length === count) {
      await message.commit();
      break;
    }
  }
  await stream.close().catch(() => {});
  await consumer.close(true);
  return messages;
}
const values = (messages) => messages.map((message) => message.value);

const [made] = await create('made', 3);
assert.deepEqual([made.name, made.partitions, made.replicas], ['made', 3, 3]);
await assert.rejects(create('made'));
assert.deepEqual(await admin.listTopics(), ['made']);
const metadata = await admin.metadata({ topics: ['made'] });
assert.equal(metadata.brokers.size, 3);
assert.equal(metadata.topics.get('made').partitions.length, 3);
await admin.deleteTopics({ topics: ['made'] });
assert.deepEqual(await admin.listTopics(), []);
ok('topics are created, described, listed and deleted');

await create('plain');
// Node.js brings zstd from 22.15 on.
const codecs = ['none', 'gzip', 'snappy', 'lz4', ...(zlib.zstdCompressSync ? ['zstd'] : [])];
for (const [n, compression] of codecs.entries()) {
  for (const acks of [1, -1]) {
    const [key, value, headers] = [`k-${n}`, String(n), { codec: compression }];
    await producer.send({ compression, acks, messages: [{ topic: 'plain', key, value, headers }] });
  }
}
const plain = await read('plain', 2 * codecs.length);
assert.deepEqual(values(plain), codecs.flatMap((_, n) => [String(n), String(n)]));
assert.deepEqual(plain.map((it) => it.headers.get('codec')).slice(0, 4), ['none', 'none', 'gzip', 'gzip']);
assert.deepEqual([plain[2].key, plain[2].offset, plain[2].partition], ['k-1', 2n, 0]);
ok('records with keys and headers, every codec, acks 1 and all');

await create('spread', 3);
const sent = await producer.send({ messages: numbers(0, 60).map((value) => ({ topic: 'spread', key: value, value })) });
assert.equal(sent.offsets.length, 3);
const first = await read('spread', 60, { groupId: 'resume' });
assert.deepEqual(values(first).map(Number).sort((a, b) => a - b), numbers(0, 60).map(Number));
ok('a group of one reads three partitions');

await create('line');
await producer.send({ messages: numbers(0, 20).map((value) => ({ topic: 'line', value })) });
assert.deepEqual(values(await read('line', 10, { groupId: 'line' })), numbers(0, 10));
assert.deepEqual(values(await read('line', 10, { groupId: 'line' })), numbers(10, 20));
ok('a group goes on where it has committed');

const asking = new Consumer({ clientId: 'asking', groupId: 'asking', bootstrapBrokers });
const ends = await asking.listOffsets({ topics: ['line'] });
assert.deepEqual(ends.get('line'), [20n]);
const starts = await asking.listOffsets({ topics: ['line'], timestamp: -2n });
assert.deepEqual(starts.get('line'), [0n]);
await asking.close(true);
ok('first and last offsets');

const faithful = new Producer({
  clientId: 'faithful', bootstrapBrokers, serializers: stringSerializers, idempotent: true, acks: -1,
});
await create('once');
for (const value of numbers(0, 30)) await faithful.send({ messages: [{ topic: 'once', value }] });
assert.deepEqual(values(await read('once', 30)), numbers(0, 30));
await faithful.close();
ok('an idempotent producer');

const transactional = new Producer({
  clientId: 'transactional', bootstrapBrokers, serializers: stringSerializers, idempotent: true, transactionalId: 'tx',
});
await create('tx');
for (const end of ['abort', 'commit']) {
  const transaction = await transactional.beginTransaction();
  await transaction.send({ messages: numbers(0, 3).map((value) => ({ topic: 'tx', value: `${end} ${value}` })) });
  await transaction[end]();
}
await transactional.close();
assert.deepEqual(values(await read('tx', 3, { isolationLevel: 1 })), ['commit 0', 'commit 1', 'commit 2']);
ok('transactions: what was committed is read, what was aborted is not');

const groups = await admin.listGroups();
assert(groups.has('line'));
const described = await admin.describeGroups({ groups: ['line'] });
assert.deepEqual([described.get('line').state, described.get('line').members.size], ['Empty', 0]);
ok('groups are listed and described');

await producer.close();
await admin.close();
