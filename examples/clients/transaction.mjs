// Payment in, receipt out, exactly once: the receipt and the place up to which payments are dealt with are committed
// together, or not at all.
// node transaction.mjs [HOW MANY]

import { kafka, PAYMENTS, place, RECEIPTS, untilStopped } from './cluster.mjs';

let left = Number(process.argv[2] ?? Infinity);
const groupId = 'receipt-printers';
const client = kafka('receipts');
const consumer = client.consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 1_000, readUncommitted: false });
const producer = client.producer({ transactionalId: 'receipts-1', idempotent: true, maxInFlightRequests: 1 });
const stop = untilStopped(async () => {
  await consumer.disconnect();
  await producer.disconnect();
});

await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: PAYMENTS, fromBeginning: true });
await consumer.run({
  autoCommit: false, // the transaction commits
  eachMessage: async (it) => {
    if (left <= 0) return;
    const { topic, partition, message } = it;
    const payment = JSON.parse(message.value);
    const transaction = await producer.transaction();
    try {
      const receipt = { id: payment.id, cents: payment.cents, of: place(it) };
      await transaction.send({ topic: RECEIPTS, messages: [{ key: payment.id, value: JSON.stringify(receipt) }] });
      const offset = String(BigInt(message.offset) + 1n);
      await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions: [{ partition, offset }] }] });
      if (payment.cents < 0) throw new Error(`${payment.id} is of ${payment.cents} cents`);
      await transaction.commit();
      console.log(`${place(it)} committed: receipt for ${payment.id}`);
    } catch (failure) {
      await transaction.abort();
      console.log(`${place(it)} aborted: ${failure.message}`);
    }
    left -= 1;
    if (left === 0) stop();
  },
});
