const topology = new TopologyBuilder(true);
topology.addProcess({ id: 'x' });
