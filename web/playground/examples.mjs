// The scripts to begin with, as the page loads them. `topomotion preview --playground` has the same list.
import { readFileSync } from 'node:fs';

const TITLES = {
  'kafka-deep-dive': 'Kafka, a deep dive',
  'single-edge': 'A single connection',
  'web-shop': 'A web shop, scripted',
  'layers-v1-v2': 'Two layers',
  'kafka-zones': 'Kafka over three zones',
  'nested-vpc': 'Groups in groups',
};

const read = (name) => readFileSync(new URL(`../../examples/${name}.ts`, import.meta.url), 'utf8');
console.log(JSON.stringify(Object.entries(TITLES).map(([name, title]) => ({ name, title, script: read(name) }))));
