await new Promise(r => setTimeout(r, 100));
