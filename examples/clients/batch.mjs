// Many records in few requests: a hundred in one call, then two topics in another.

import { CompressionTypes, kafka, PAYMENTS, RECEIPTS } from './cluster.mjs';

const producer = kafka('importer').producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
let requests = 0;
producer.on(producer.events.REQUEST, ({ payload }) => (requests += payload.apiName === 'Produce' ? 1 : 0));
const payment = (n) => ({ id: `pay-${n}`, cents: 100 * n, state: 'SETTLED' });
const record = (n) => ({ key: payment(n).id, value: JSON.stringify(payment(n)), headers: { event: 'PAYMENT_SETTLED' } });
const hundred = Array.from({ length: 100 }, (_, n) => record(n + 1000));
const written = await producer.send({ topic: PAYMENTS, acks: -1, compression: CompressionTypes.GZIP, messages: hundred });
console.log(`${hundred.length} records to ${written.length} partitions in ${requests} requests`);
await producer.sendBatch({
  topicMessages: [
    { topic: PAYMENTS, messages: [record(2000)] },
    { topic: RECEIPTS, messages: [{ key: 'pay-2000', value: JSON.stringify({ id: 'pay-2000', receipt: 'R-2000' }) }] },
  ],
});
console.log(`one record each to ${PAYMENTS} and ${RECEIPTS}`);
await producer.disconnect();
