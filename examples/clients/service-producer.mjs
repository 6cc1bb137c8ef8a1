// A producer for a service that has to run: it says how it is, keeps what it could not send in sight, and when it is
// asked to stop it sends what it has first.
// node service-producer.mjs [HOW MANY]

import { CompressionTypes, kafka, Partitioners, PAYMENTS, untilStopped } from './cluster.mjs';

let left = Number(process.argv[2] ?? Infinity);
let number = 0;
const failed = [];
const underWay = new Set();
const producer = kafka('payment-service').producer({
  idempotent: true,
  maxInFlightRequests: 1, // of more than one, kafkajs may number two alike
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
});
producer.on(producer.events.CONNECT, () => console.log('connected'));
producer.on(producer.events.REQUEST_TIMEOUT, ({ payload }) => console.error(`no answer from ${payload.broker}`));
const stop = untilStopped(async () => {
  left = 0;
  await Promise.allSettled(underWay);
  await producer.disconnect();
  console.log(`sent ${number - failed.length} payments, ${failed.length} failed; disconnected`);
});

function send(payment) {
  const sent = producer
    .send({
      topic: PAYMENTS,
      acks: -1,
      timeout: 30_000,
      compression: CompressionTypes.GZIP,
      messages: [{ key: payment.id, value: JSON.stringify(payment), headers: { event: `PAYMENT_${payment.state}` } }],
    })
    .catch((error) => {
      failed.push(payment); // whoever runs this decides what becomes of it
      console.error(`${payment.id} was not sent: ${error.message}`);
    })
    .finally(() => underWay.delete(sent));
  underWay.add(sent);
  return sent;
}

await producer.connect();
while (left > 0) {
  left -= 1;
  number += 1;
  await send({ id: `pay-${number % 10}`, number, cents: 100 * number, state: 'REQUESTED' });
}
await stop();
