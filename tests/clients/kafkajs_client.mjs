// kafkajs 2.2 against the cluster at $BOOTSTRAP_SERVERS.

import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import SnappyCodec from 'kafkajs-snappy';

const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = kafkajs;
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;
const kafka = new Kafka({
  clientId: 'js', brokers: process.env.BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR, retry: { retries: 8 },
});
const ok = (what) => console.log('ok', what);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (what, test, seconds = 60) => {
  const end = Date.now() + seconds * 1000;
  while (!(await test())) {
    assert(Date.now() < end, `${what}, in time`);
    await pause(50);
  }
};
const numbers = (from, to) => Array.from({ length: to - from }, (_, n) => String(from + n));

const admin = kafka.admin();
await admin.connect();
const create = (topic, numPartitions = 1) =>
  admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, replicationFactor: 3 }] });

async function read(topic, count, options = {}) {
  const consumer = kafka.consumer({ groupId: `read-${topic}-${Math.random()}`, maxWaitTimeInMs: 100, ...options });
  const messages = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void messages.push(message) });
  await until(`${count} messages of ${topic}`, () => messages.length >= count);
  await consumer.disconnect();
  assert.equal(messages.length, count);
  return messages;
}
const values = (messages) => messages.map((message) => message.value.toString());

async function topics() {
  assert.equal(await create('js-topic', 3), true);
  assert.equal(await create('js-topic'), false);
  assert((await admin.listTopics()).includes('js-topic'));
  await admin.createPartitions({ topicPartitions: [{ topic: 'js-topic', count: 5 }] });
  await until('five partitions', async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: ['js-topic'] });
    return topics[0].partitions.length === 5;
  });
  ok('create and list a topic, and more partitions; not twice');
  const resource = { type: ConfigResourceTypes.TOPIC, name: 'js-topic' };
  const setting = async () => {
    const { resources } = await admin.describeConfigs({ resources: [{ ...resource, configNames: ['retention.ms'] }], includeSynonyms: false });
    return resources[0].configEntries[0].configValue;
  };
  assert.equal(await setting(), '604800000');
  await admin.alterConfigs({ resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '60000' }] }] });
  await until('an altered setting', async () => (await setting()) === '60000');
  ok('settings are described and altered');
  assert.equal((await admin.describeCluster()).brokers.length, 3);
  await admin.deleteTopics({ topics: ['js-topic'] });
  await until('a topic gone', async () => !(await admin.listTopics()).includes('js-topic'));
  ok('the cluster is described; a topic is deleted');
}

async function producing() {
  await create('js-produce');
  const producer = kafka.producer();
  await producer.connect();
  const sent = [];
  for (const acks of [0, 1, -1]) {
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.Snappy]) {
      const batch = numbers(sent.length, sent.length + 20);
      await producer.send({ topic: 'js-produce', acks, compression, messages: batch.map((value) => ({ value })) });
      sent.push(...batch);
    }
  }
  const found = values(await read('js-produce', sent.length));
  // Without an acknowledgement, nobody waits for the one before.
  assert.deepEqual(found.map(Number).sort((a, b) => a - b), sent.map(Number));
  ok('acks 0, 1 and all; plain, gzip and snappy');
  await create('js-keys', 3);
  await producer.send({ topic: 'js-keys', messages: numbers(0, 9).map((value) => ({ key: `k${value % 3}`, value, headers: { n: value } })) });
  const keyed = await read('js-keys', 9);
  assert(keyed.every((it) => it.key.toString() === `k${it.value % 3}` && it.headers.n.toString() === it.value.toString()));
  ok('keys and headers');
  await producer.send({ topic: 'js-auto', messages: [{ value: 'made on the side' }] });
  assert.deepEqual(values(await read('js-auto', 1)), ['made on the side']);
  await producer.disconnect();
  ok('a topic is made when it is written to');
  const idempotent = kafka.producer({ idempotent: true });
  await idempotent.connect();
  await create('js-idempotent');
  for (let at = 0; at < 50; at += 10) {
    await idempotent.send({ topic: 'js-idempotent', messages: numbers(at, at + 10).map((value) => ({ value })) });
  }
  await idempotent.disconnect();
  assert.deepEqual(values(await read('js-idempotent', 50)), numbers(0, 50));
  ok('an idempotent producer');
}

async function transactions() {
  await create('js-txn');
  const producer = kafka.producer({ transactionalId: 'js-1', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  for (const outcome of ['commit', 'abort', 'commit']) {
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'js-txn', messages: [0, 1].map((n) => ({ value: `${outcome}-${n}` })) });
    await transaction[outcome]();
  }
  const transaction = await producer.transaction();
  await transaction.send({ topic: 'js-txn', messages: [{ value: 'with offsets' }] });
  const topics = [{ topic: 'js-txn', partitions: [{ partition: 0, offset: '4' }] }];
  await transaction.sendOffsets({ consumerGroupId: 'js-eos', topics });
  await transaction.commit();
  await producer.disconnect();
  const wanted = ['commit-0', 'commit-1', 'commit-0', 'commit-1', 'with offsets'];
  assert.deepEqual(values(await read('js-txn', 5)), wanted);
  assert.equal((await read('js-txn', 7, { readUncommitted: true })).length, 7);
  const offsets = await admin.fetchOffsets({ groupId: 'js-eos', topics: ['js-txn'] });
  assert.equal(offsets[0].partitions[0].offset, '4');
  ok('transactions: committed, aborted, with offsets, and how they are read');
}

async function groups() {
  await create('js-group', 4);
  const producer = kafka.producer();
  await producer.connect();
  const send = (from, to) => producer.send({ topic: 'js-group', messages: numbers(from, to).map((value) => ({ value, partition: value % 4 })) });
  await send(0, 40);
  const member = async () => {
    const consumer = kafka.consumer({ groupId: 'js-group', maxWaitTimeInMs: 100, sessionTimeout: 30000, rebalanceTimeout: 30000, heartbeatInterval: 500 });
    const it = { consumer, seen: [], share: 0 };
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => { it.share = (payload.memberAssignment['js-group'] ?? []).length; });
    await consumer.connect();
    await consumer.subscribe({ topic: 'js-group', fromBeginning: true });
    await consumer.run({ autoCommitThreshold: 1, eachMessage: async ({ message }) => void it.seen.push(Number(message.value)) });
    return it;
  };
  const first = await member();
  await until('40 messages', () => first.seen.length === 40);
  const second = await member();
  await until('shares', () => first.share === 2 && second.share === 2);
  ok('a second member gets half of the partitions');
  const { groups: described } = await admin.describeGroups(['js-group']);
  assert.deepEqual([described[0].state, described[0].members.length], ['Stable', 2]);
  assert((await admin.listGroups()).groups.some((it) => it.groupId === 'js-group'));
  await second.consumer.disconnect();
  await until('all partitions back', () => first.share === 4);
  await send(40, 44);
  await until('what is new', () => first.seen.length === 44);
  await first.consumer.disconnect();
  const third = await member();
  await send(44, 48);
  await until('resumed', () => third.seen.length >= 4);
  assert.deepEqual(third.seen.sort(), [44, 45, 46, 47]);
  await third.consumer.disconnect();
  ok('it leaves; another one goes on where it was committed; described and listed');
  await admin.setOffsets({ groupId: 'js-group', topic: 'js-group', partitions: [{ partition: 0, offset: '1' }] });
  const offsets = await admin.fetchOffsets({ groupId: 'js-group', topics: ['js-group'] });
  assert.equal(offsets[0].partitions.find((it) => it.partition === 0).offset, '1');
  assert.equal((await admin.fetchTopicOffsets('js-group')).reduce((sum, it) => sum + Number(it.high), 0), 48);
  await admin.deleteGroups(['js-group']);
  await producer.disconnect();
  ok("a group's offsets are set and told; it is deleted");
}

await topics();
await producing();
await transactions();
await groups();
await admin.disconnect();
