// Makes the topics that the other programs use, and shows who leads each partition.

import { kafka, makeTopics, PAYMENTS } from './cluster.mjs';

const admin = kafka('admin').admin();
await admin.connect();
const made = await makeTopics(admin);
console.log(made.length ? `made ${made.join(', ')}` : 'the topics are there already');
console.log(`topics: ${(await admin.listTopics()).sort().join(', ')}`);
const { topics } = await admin.fetchTopicMetadata({ topics: [PAYMENTS] });
const partitions = topics[0].partitions.sort((one, other) => one.partitionId - other.partitionId);
for (const { partitionId, leader, replicas, isr } of partitions) {
  console.log(`${PAYMENTS}-${partitionId}: leader ${leader}, replicas ${replicas.join(' ')}, in sync ${isr.join(' ')}`);
}
await admin.disconnect();
