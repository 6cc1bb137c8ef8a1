// kafkajs 2.2 logs in to the cluster at $BOOTSTRAP_SERVERS as $NAME with $PASSWORD, by every mechanism; over TLS, if
// there is a certificate to trust: $CA.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';

const { Kafka, logLevel } = kafkajs;
const { BOOTSTRAP_SERVERS, NAME: username, PASSWORD, CA } = process.env;
const trust = CA && { ca: [readFileSync(CA)] };
const where = CA ? ' over TLS' : '';

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
  const kafka = (password, ssl = trust) => new Kafka({
    clientId: 'js', brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.NOTHING, retry: { retries: 2 },
    sasl: { mechanism, username, password }, ssl,
  });
  const producer = kafka(PASSWORD).producer();
  await producer.connect();
  await producer.send({ topic: 'js', messages: [{ value: mechanism }] });
  await producer.disconnect();
  console.log('ok', mechanism + where);
  await assert.rejects(kafka('wrong').producer().connect(), /SASL|[Aa]uthentication/);
  console.log('ok', `${mechanism}${where}, a wrong password is refused`);
  if (CA) await assert.rejects(kafka(PASSWORD, { ca: [] }).producer().connect(), /certificate/);
}
if (CA) console.log('ok a certificate that is not trusted is refused');
process.exit(0);
