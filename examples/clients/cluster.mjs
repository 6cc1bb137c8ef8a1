// What all these programs share: where the brokers are, and what the topics are called.

import kafkajs from 'kafkajs';

export const { CompressionTypes, Partitioners } = kafkajs;
export const PAYMENTS = 'payments';
export const DEAD = 'payments.dead';
export const RECEIPTS = 'receipts';

// `topomotion record` names the brokers in BOOTSTRAP_SERVERS; `topomotion broker` listens here unless told otherwise.
const brokers = (process.env.BOOTSTRAP_SERVERS ?? '127.0.0.1:9092').split(',');

// kafkajs tells every answer that is an error, also those after which it tries again: those are left out.
const logCreator = () => ({ namespace, log }) => {
  if (namespace !== 'Connection') console.error(`${namespace}: ${log.message}`, log.error ?? '');
};

/** A client; its name is what brokers (and films) know it by. */
export const kafka = (clientId) =>
  new kafkajs.Kafka({ clientId, brokers, logCreator, logLevel: kafkajs.logLevel.ERROR, retry: { retries: 10 } });

/** Makes the topics that are not there yet. Returns their names. */
export async function makeTopics(admin, replicationFactor = 3) {
  const topic = (name, numPartitions, settings = {}) => ({
    topic: name,
    numPartitions,
    replicationFactor,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
  });
  const wanted = [
    topic(PAYMENTS, 3, { 'retention.ms': String(7 * 24 * 3600 * 1000), 'min.insync.replicas': '2' }),
    topic(DEAD, 1),
    topic(RECEIPTS, 3),
  ];
  const there = await admin.listTopics();
  const topics = wanted.filter((it) => !there.includes(it.topic));
  if (topics.length) await admin.createTopics({ waitForLeaders: true, topics });
  return topics.map((it) => it.topic);
}

/** Where a message stands: topic, partition and offset. */
export const place = ({ topic, partition, message }) => `${topic}-${partition}@${message.offset}`;

/** Ends a program's clients when it is asked to stop, or when its work is done. */
export function untilStopped(stop) {
  let stopping;
  const once = () => (stopping ??= stop());
  for (const sign of ['SIGINT', 'SIGTERM']) process.on(sign, once);
  return once;
}
