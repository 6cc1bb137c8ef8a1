// How far a group is behind: for each partition, where the log ends less what the group has committed.
// node lag.mjs [GROUP] [TIMES]      every five seconds, or so many times

import { kafka, PAYMENTS } from './cluster.mjs';

const [groupId = 'mailers', times = 'Infinity'] = process.argv.slice(2);
const level = (lag) => (lag === 0 ? 'caught up' : lag < 100 ? 'fine' : lag < 1_000 ? 'slow' : 'late');
const admin = kafka('monitor').admin();
await admin.connect();
for (let time = 1; time <= Number(times); time += 1) {
  const ends = await admin.fetchTopicOffsets(PAYMENTS);
  const [{ partitions: committed }] = await admin.fetchOffsets({ groupId, topics: [PAYMENTS] });
  let total = 0;
  for (const { partition, high, low } of ends.sort((one, other) => one.partition - other.partition)) {
    const found = committed.find((it) => it.partition === partition)?.offset ?? '-1';
    const from = Number(found) < 0 ? Number(low) : Number(found); // -1: it has committed nothing yet
    const lag = Number(high) - from;
    total += lag;
    console.log(`${PAYMENTS}-${partition}: end ${high}, committed ${found}, lag ${lag}, ${level(lag)}`);
  }
  const [group] = (await admin.describeGroups([groupId])).groups;
  console.log(`${groupId}: ${group.state}, ${group.members.length} members, lag ${total}`);
  if (time < Number(times)) await new Promise((resolve) => setTimeout(resolve, 5_000));
}
await admin.disconnect();
