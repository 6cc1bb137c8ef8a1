// Reads payments as a member of a group, and commits each when it has been dealt with: at least once.
// node consumer.mjs [HOW MANY]      without a number it goes on until it is asked to stop

import { kafka, PAYMENTS, place, untilStopped } from './cluster.mjs';

let left = Number(process.argv[2] ?? Infinity);
const consumer = kafka('mailer').consumer({ groupId: 'mailers', sessionTimeout: 10_000, heartbeatInterval: 1_000 });
const stop = untilStopped(() => consumer.disconnect().then(() => console.log('left the group')));
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  console.log(`joined ${payload.groupId}, has ${JSON.stringify(payload.memberAssignment)}`);
});
await consumer.connect();
await consumer.subscribe({ topic: PAYMENTS, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async (it) => {
    if (left <= 0) return;
    const { topic, partition, message } = it;
    const payment = JSON.parse(message.value);
    console.log(`${place(it)} ${message.headers.event ?? 'PAYMENT'}: mails about ${payment.id}, ${payment.state}`);
    // What is committed is the offset to begin with next time.
    await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(message.offset) + 1n) }]);
    left -= 1;
    if (left === 0) stop();
  },
});
