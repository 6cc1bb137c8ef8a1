const topology = new TopolgyBuilder(true);
