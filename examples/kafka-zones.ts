// Kafka over three zones: each has a broker and a vote. What a zone's outage costs, and what it does not.
//
// Beside its own scenarios it fits most of those that are built in: `topomotion scenarios examples/kafka-zones.ts`.
const topology = new TopologyBuilder(true);
topology.title('Kafka over three zones');
topology.description('Three brokers and three controllers in three zones, a broker to spare, and what happens when a zone loses power.');

const zones = ['a', 'b', 'c'];
for (const zone of zones) {
  topology
    .createGroup(`zone-${zone}`, { label: `Zone ${zone}` })
    .addProcess({ id: `controller-${zone}`, label: `Controller ${zone}`, role: 'controller' })
    .newRow()
    .addProcess({ id: `broker-${zone}`, label: `Broker ${zone}`, role: 'broker', kafka: { rack: zone } })
    .autoResize();
}
topology.createProcess({ id: 'broker-spare', label: 'Spare broker', role: 'broker', kafka: { rack: 'c' } });
topology.createProcess({ id: 'checkout', label: 'Checkout', role: 'producer', kafka: { acks: 'all', topics: ['payments'] } });
topology.createProcess({ id: 'ledger', label: 'Ledger', role: 'consumer', kafka: { groupId: 'ledger', topics: ['payments'] } });

topology.connect('broker-b', 'broker-a', { protocol: 'tcp', label: 'replicate' });
topology.connect('broker-c', 'broker-a', { protocol: 'tcp', label: 'replicate' });
topology.connect('broker-spare', 'broker-c', { protocol: 'tcp' });
topology.connect('controller-b', 'controller-a', { protocol: 'tcp', label: 'metadata log' });
topology.connect('controller-c', 'controller-a', { protocol: 'tcp', label: 'metadata log' });
for (const zone of zones) {
  topology.connect(`broker-${zone}`, `controller-${zone}`, { protocol: 'tcp' });
}
topology.connect('checkout', 'broker-a', { protocol: 'kafka', label: 'produce acks=all', type: 'pulse' });
topology.connect('ledger', 'broker-a', { protocol: 'kafka', label: 'fetch', type: 'pulse' });

await topology.apply();

const kafka = topology.kafka({
  topics: [
    {
      name: 'payments',
      partitions: 1,
      replicationFactor: 3,
      minInsyncReplicas: 2,
      assignment: [['broker-a', 'broker-b', 'broker-c']],
    },
  ],
});

kafka
  .scenario('zone-outage', 'A zone loses power', 'A broker and a vote are gone at once; two zones go on, and nothing acknowledged is lost.')
  .produce('checkout', 'payments', { key: 'payment-1' })
  .fault('power-loss controller-a', { caption: 'Zone a loses power: its controller …' })
  .fault('power-loss broker-a', { caption: '… and its broker, which leads payments-0.' })
  .waitUntil('leader(payments-0) == broker-b', { caption: 'The two other votes are a majority; a replica in sync leads.' })
  .produce('checkout', 'payments', { key: 'payment-2' })
  .restart('controller-a')
  .restart('broker-a')
  .waitUntil('isr-size(payments-0) == 3', { caption: 'Power is back: the zone catches up.' })
  .admin('elect preferred payments-0', { caption: 'Broker a is the preferred leader.' })
  .waitUntil('leader(payments-0) == broker-a')
  .expect('no-acknowledged-record-lost');

kafka
  .scenario('drain', 'A broker is drained', 'Its replica moves to the spare broker, then it stops in good order: no request fails.')
  .produce('checkout', 'payments', { key: 'payment-1', count: 3 })
  .admin('reassign payments-0 to broker-a,broker-b,broker-spare', { caption: 'The spare broker copies the log before broker c lets go.' })
  .waitUntil('isr(payments-0) == {broker-a, broker-b, broker-spare}')
  .shutdown('broker-c')
  .produce('checkout', 'payments', { key: 'payment-4' })
  .expect('replicas(payments-0) == {broker-a, broker-b, broker-spare}')
  .expect('no-acknowledged-record-lost');

kafka
  .scenario('two-zones', 'Two zones are too many', 'min.insync.replicas keeps the promise: what cannot be kept safe is refused.')
  .produce('checkout', 'payments', { key: 'payment-1' })
  .crash('broker-b')
  .crash('broker-c')
  .waitUntil('isr-size(payments-0) == 1', { caption: 'One replica is left.' })
  .produce('checkout', 'payments', { key: 'payment-2', await: false })
  .waitUntil('told(checkout, NOT_ENOUGH_REPLICAS)', { caption: 'acks=all is refused, and nothing is appended.' })
  .expect('log-end(payments-0) == 1')
  .restart('broker-b')
  .waitUntil('high-watermark(payments-0) == 2', { caption: 'A second replica is back, and the retry is taken.' })
  .expect('no-acknowledged-record-lost');
