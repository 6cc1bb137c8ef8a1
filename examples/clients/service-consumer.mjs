// A consumer for a service that has to run: it tells of rebalances and crashes, answers /health and /ready, tries
// again, puts aside what fails, commits by hand, and leaves its group when it is asked to stop.
// node service-consumer.mjs [HOW MANY]      HEALTH_PORT, NAME

import http from 'node:http';

import { DEAD, kafka, PAYMENTS, place, untilStopped } from './cluster.mjs';

const TRIES = 3;
const STALE_MS = 60_000;
let left = Number(process.argv[2] ?? Infinity);
let isWell = true;
let lastFetch = 0;
const client = kafka(process.env.NAME ?? 'notifier');
const consumer = client.consumer({
  groupId: 'notifiers',
  sessionTimeout: 10_000,
  heartbeatInterval: 1_000, // well below a third of it
  rebalanceTimeout: 20_000,
  maxWaitTimeInMs: 500,
  maxBytesPerPartition: 1 << 20,
});
const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });

const { GROUP_JOIN, REBALANCING, FETCH, CRASH } = consumer.events;
consumer.on(GROUP_JOIN, ({ payload }) => console.log(`has ${JSON.stringify(payload.memberAssignment[PAYMENTS] ?? [])}`));
consumer.on(REBALANCING, () => console.log('the group rebalances'));
consumer.on(FETCH, () => (lastFetch = Date.now()));
consumer.on(CRASH, ({ payload }) => {
  isWell = payload.restart;
  console.error(`crashed: ${payload.error.message}`);
});

const health = http.createServer((request, response) => {
  const isReady = Date.now() - lastFetch < STALE_MS;
  const told = { '/health': isWell, '/ready': isWell && isReady }[request.url];
  response.writeHead(told === undefined ? 404 : told ? 200 : 503).end();
});
if (process.env.HEALTH_PORT) health.listen(Number(process.env.HEALTH_PORT), '127.0.0.1');

const stop = untilStopped(async () => {
  await consumer.stop(); // the record in hand is dealt with first
  await consumer.disconnect();
  await producer.disconnect();
  health.close();
  console.log('stopped as it should');
});

async function notify(payment) {
  if (!(payment.cents >= 0)) throw new Error(`${payment.id} is of ${payment.cents} cents`);
  console.log(`tells the customer about ${payment.id}`);
}

async function deal({ topic, partition, message, heartbeat }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await notify(JSON.parse(message.value));
    } catch (failure) {
      if (attempt < TRIES) {
        await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
        await heartbeat();
        continue;
      }
      const headers = { ...message.headers, 'dead.from': place({ topic, partition, message }), 'dead.reason': failure.message };
      await producer.send({ topic: DEAD, messages: [{ key: message.key, value: message.value, headers }] });
      return console.log(`puts ${message.key} aside: ${failure.message}`);
    }
  }
}

await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: PAYMENTS, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async (it) => {
    if (left <= 0) return;
    await deal(it);
    const { topic, partition, message } = it;
    await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(message.offset) + 1n) }]);
    left -= 1;
    if (left === 0) stop();
  },
});
