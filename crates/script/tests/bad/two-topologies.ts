const first = new TopologyBuilder();
const second = new TopologyBuilder('yes');
second.createProcess({ id: 'a' });
await second.apply();
second.createProcess({ id: 'b', capacity: { maxRps: 'many', cpu: 1 }, external: 'no', x: 1 });
second.kafka({ topics: [{ name: 'a b' }, { name: 'o', partitions: 0 }, { name: 'o', replicas: 3 }] });
second.kafka({});
