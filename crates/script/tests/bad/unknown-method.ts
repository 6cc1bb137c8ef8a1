const topology = new TopologyBuilder(true);
topology.createGroup('a').addProces({ id: 'x' });
