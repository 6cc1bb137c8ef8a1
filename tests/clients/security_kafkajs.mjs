// kafkajs 2.2 logs in to the cluster at $BOOTSTRAP_SERVERS as $NAME with $PASSWORD, by every mechanism.

import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';

const { Kafka, logLevel } = kafkajs;
const { BOOTSTRAP_SERVERS, NAME: username, PASSWORD } = process.env;

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
  const kafka = (password) => new Kafka({
    clientId: 'js', brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.NOTHING, retry: { retries: 2 },
    sasl: { mechanism, username, password },
  });
  const producer = kafka(PASSWORD).producer();
  await producer.connect();
  await producer.send({ topic: 'js', messages: [{ value: mechanism }] });
  await producer.disconnect();
  console.log('ok', mechanism);
  await assert.rejects(kafka('wrong').producer().connect(), /SASL|[Aa]uthentication/);
  console.log('ok', `${mechanism}, a wrong password is refused`);
}
process.exit(0);
