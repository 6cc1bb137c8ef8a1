const q = []; q.length = 2 ** 32 - 1; q.sort();
