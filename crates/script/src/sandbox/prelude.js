// Runs before every script: makes the builders, the console, and a world without chance or clock.
// Everything it needs later is taken into local names first, because a script may change globals.
(function (table, record, print) {
  'use strict';
  const { Error, TypeError, Object, Promise, Math, Date, String, JSON, Reflect } = globalThis;
  const stringify = JSON.stringify;
  const HANDLE = '__topomotion';
  const inside = Symbol('inside');

  function stack() {
    Error.stackTraceLimit = 24;
    Error.prepareStackTrace = undefined;
    return new Error().stack;
  }

  // The builders: each call is recorded, none does anything by itself.
  const classes = { __proto__: null };
  for (const line of table.split('\n')) {
    const [name, visibility, ...methods] = line.split(' ');
    const made = {
      [name]: class {
        constructor(...args) {
          const is_inside = args[0] === inside;
          if (!is_inside && visibility === 'hidden') {
            throw new TypeError('a ' + name + ' is made by a method of another builder, not by `new`');
          }
          const handle = is_inside ? args[1] : record(name, 'new', 0, args, stack());
          Object.defineProperty(this, HANDLE, { value: handle });
        }
      },
    }[name];
    for (const method of methods) {
      const [key, gives] = method.split('=');
      const value = {
        [key](...args) {
          const handle = this == null ? undefined : this[HANDLE];
          if (handle === undefined) {
            throw new TypeError('`' + key + '` was called without its ' + name);
          }
          const result = record(name, key, handle, args, stack());
          if (gives === 'this') return this;
          if (gives === 'promise') return Promise.resolve();
          return new classes[gives](inside, result);
        },
      }[key];
      Object.defineProperty(made.prototype, key, { value });
    }
    Object.freeze(made.prototype);
    Object.freeze(made);
    classes[name] = made;
    if (visibility === 'public') {
      Object.defineProperty(globalThis, name, { value: made, writable: true, configurable: true });
    }
  }

  // The console: what is printed is handed to the caller, with its place.
  function show(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return String(value);
    if (value !== null && typeof value === 'object') {
      try {
        return stringify(value) ?? String(value);
      } catch {
        return Reflect.apply(Object.prototype.toString, value, []);
      }
    }
    return String(value);
  }
  const console = {};
  for (const [name, level] of [['log', 0], ['info', 0], ['debug', 0], ['warn', 1], ['error', 2]]) {
    console[name] = (...args) => print(level, args.map(show).join(' '), stack());
  }
  globalThis.console = console;

  // Chance: the same numbers in every run.
  let seed = 0x9e3779b9;
  Math.random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = seed ^ (seed >>> 15);
    t = Math.imul(t, 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  // The clock: stands still at the first instant of 2025, UTC.
  const NOW = 1735689600000;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, made) => Reflect.construct(target, args.length ? args : [NOW], made),
    apply: (target) => new target(NOW).toUTCString(),
  });
  Date.now = () => NOW;
  Date.prototype.constructor = globalThis.Date;
  if (globalThis.performance) {
    Object.defineProperty(globalThis, 'performance', { value: { now: () => 0 } });
  }

  // What waits for other threads, and what tells when memory is collected.
  for (const name of ['Atomics', 'SharedArrayBuffer', 'WeakRef', 'FinalizationRegistry', 'navigator', 'gc']) {
    delete globalThis[name];
  }
});
