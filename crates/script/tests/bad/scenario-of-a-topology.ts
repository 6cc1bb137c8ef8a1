const topology = new TopologyBuilder(true);
topology.createProcess({ id: 'shop' });
topology.scenario('sale');
await topology.apply();
