// One payment's life, four events. They have one key, so they are in one partition, in this order.

import { CompressionTypes, kafka, Partitioners, PAYMENTS } from './cluster.mjs';

const producer = kafka('checkout').producer({
  idempotent: true, // a retry leaves no duplicate
  maxInFlightRequests: 1,
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
});
await producer.connect();
for (const state of ['REQUESTED', 'AUTHORISED', 'CAPTURED', 'SETTLED']) {
  const [written] = await producer.send({
    topic: PAYMENTS,
    acks: -1, // every replica in sync has it
    compression: CompressionTypes.GZIP,
    messages: [
      {
        key: 'pay-7',
        value: JSON.stringify({ id: 'pay-7', cents: 4200, state }),
        headers: { event: `PAYMENT_${state}`, source: 'checkout' },
      },
    ],
  });
  console.log(`sent ${state} to ${PAYMENTS}-${written.partition} at ${written.baseOffset}`);
}
await producer.disconnect();
