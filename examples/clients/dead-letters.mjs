// Tries each payment three times; what still fails is put aside in a topic of its own, with where it came from and why,
// and does not hold up the others.
// node dead-letters.mjs [HOW MANY]

import { DEAD, kafka, PAYMENTS, place, untilStopped } from './cluster.mjs';

const TRIES = 3;
let left = Number(process.argv[2] ?? Infinity);
const client = kafka('ledger');
const consumer = client.consumer({ groupId: 'ledgers', sessionTimeout: 10_000, heartbeatInterval: 1_000 });
const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
const stop = untilStopped(async () => {
  await consumer.disconnect();
  await producer.disconnect();
});

/** The work: it cannot be done for a payment that is no JSON, or of less than nothing. */
function enter(value) {
  const payment = JSON.parse(value);
  if (payment.cents < 0) throw new Error(`${payment.id} is of ${payment.cents} cents`);
}

async function putAside({ topic, partition, message }, why) {
  await producer.send({
    topic: DEAD,
    messages: [
      {
        key: message.key,
        value: message.value,
        headers: {
          ...message.headers,
          'dead.topic': topic,
          'dead.partition': String(partition),
          'dead.offset': message.offset,
          'dead.tries': String(TRIES),
          'dead.reason': why,
        },
      },
    ],
  });
}

async function deal(it) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      enter(it.message.value);
      return console.log(`${place(it)} entered`);
    } catch (failure) {
      if (attempt === TRIES) {
        await putAside(it, failure.message);
        return console.log(`${place(it)} put aside after ${TRIES} tries: ${failure.message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
      await it.heartbeat();
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
